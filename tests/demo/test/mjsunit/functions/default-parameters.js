// Defaults are evaluated at each call, left to right, and see what is left of them.

let calls = 0;
function f(a, b = a + 1, c = (calls++, a + b)) {
  return [a, b, c];
}
assertEquals([1, 2, 3], f(1));
assertEquals([1, 5, 6], f(1, 5));
assertEquals([1, 2, null], f(1, undefined, null));
assertSame(2, calls);
assertSame(1, f.length);
assertThrows(() => ((x = y, y) => x)(), ReferenceError);
