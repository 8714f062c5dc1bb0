/*---
description: A binding exists before its declaration, but cannot be used
---*/

{
  assert.throws(ReferenceError, () => x);
  let x = 1;
  assert.sameValue(x, 1);
}
