/*---
description: at counts from the end for negative numbers
features: [String.prototype.at]
---*/

assert.sameValue('abc'.at(-1), 'c');
assert.sameValue('abc'.at(3), undefined);
