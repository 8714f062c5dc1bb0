/*---
description: groupBy makes an object without prototype
features: [array-grouping]
---*/

var groups = Object.groupBy([1, 2, 3], x => (x % 2 ? 'odd' : 'even'));
assert.sameValue(Object.getPrototypeOf(groups), null);
assert.sameValue(groups.odd.length, 2);
