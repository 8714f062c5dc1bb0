/*---
description: includes finds NaN, which indexOf does not
features: [Array.prototype.includes]
---*/

assert.sameValue([NaN].includes(NaN), true);
assert.sameValue([NaN].indexOf(NaN), -1);
assert.sameValue([-0].includes(0), true);
