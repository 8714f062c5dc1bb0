// A test fails as well by its exit code alone.

print('leaving');
quit(3);
print('never printed');
