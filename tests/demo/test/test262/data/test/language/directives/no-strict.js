/*---
description: A test that makes sense in sloppy mode only
flags: [noStrict]
---*/

undeclared = 1;
assert.sameValue(globalThis.undeclared, 1);
var scope = {inside: 2};
with (scope) {
  inside = 3;
}
assert.sameValue(scope.inside, 3);
