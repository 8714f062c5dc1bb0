/*---
description: An asynchronous test that fails, and is expected to by the status file
flags: [async]
---*/

Promise.resolve(1)
  .then(value => assert.sameValue(value, 2))
  .then($DONE, $DONE);
