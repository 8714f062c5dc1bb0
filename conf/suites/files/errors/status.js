// Exit-Code: 3
print("before");
quit(3);
