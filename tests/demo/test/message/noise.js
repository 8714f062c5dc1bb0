// Lines that valgrind or Android print are not compared.

print('==4711== Memcheck, a memory error detector');
print('** a banner');
print('the line that counts');
