/*---
description: A module waits for what it awaits
flags: [module, async]
features: [top-level-await]
---*/

var value = await new Promise(resolve => Promise.resolve().then(() => resolve(3)));
assert.sameValue(value, 3);
$DONE();
