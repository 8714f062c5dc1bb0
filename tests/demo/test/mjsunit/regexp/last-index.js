// Global and sticky expressions remember where they stopped.

const global = /a/g;
assertTrue(global.test('aba'));
assertSame(1, global.lastIndex);
assertTrue(global.test('aba'));
assertFalse(global.test('aba'));
assertSame(0, global.lastIndex);

const sticky = /b/y;
assertFalse(sticky.test('ab'));
sticky.lastIndex = 1;
assertTrue(sticky.test('ab'));
assertEquals([0, 2], Array.from('aba'.matchAll(/a/g), match => match.index));
