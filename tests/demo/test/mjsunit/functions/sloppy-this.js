// In a sloppy function, this is never a primitive.

function sloppy() {
  return this;
}
function strict() {
  'use strict';
  return this;
}
assertSame(globalThis, sloppy());
assertUndefined(strict());
assertSame('object', typeof sloppy.call(1));
assertSame(1, strict.call(1));
assertSame('function', (function f() {
  f = null;
  return typeof f;
})());
