/*---
description: A test that makes sense in strict mode only
flags: [onlyStrict]
---*/

assert.throws(ReferenceError, function () {
  undeclared = 1;
});
assert.sameValue((function () { return this; })(), undefined);
