// write prints without a line end.

for (const word of ['one', 'line', 'of', 'words']) write(word, '');
write('\n');
print('next');
