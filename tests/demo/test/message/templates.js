// The template knows {NUMBER}, * for anything, and a doubled % for one.

print('took', performance.now(), 'ms');
print('100%', 'sure');
print('somewhere in ' + ['a', 'b', 'c'].join('/'));
print('# this is no comment');
