// Lines of the expected file that begin with # are comments; blanks around a line do not count.

description('Comments and blanks');
print('   indented   ');
