/*---
description: Leaving a loop early returns the iterator
---*/

var returned = 0;
var iterable = {
  [Symbol.iterator]() {
    return {
      next: () => ({value: 1, done: false}),
      return() {
        returned++;
        return {};
      },
    };
  },
};
for (var x of iterable) break;
assert.sameValue(returned, 1);
