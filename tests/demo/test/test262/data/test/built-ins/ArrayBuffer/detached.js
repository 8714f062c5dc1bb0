/*---
description: A detached buffer has no bytes, and its views have none either
includes:
  - detachArrayBuffer.js
---*/

var buffer = new ArrayBuffer(8);
var view = new Uint8Array(buffer);
$DETACHBUFFER(buffer);
assert.sameValue(buffer.byteLength, 0);
assert.sameValue(view.length, 0);
assert.sameValue(view[0], undefined);
