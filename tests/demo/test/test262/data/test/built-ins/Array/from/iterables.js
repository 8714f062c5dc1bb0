/*---
description: Array.from takes iterables before it looks for a length
esid: sec-array.from
includes: [compareArray.js]
---*/

var iterable = {length: 7};
iterable[Symbol.iterator] = function* () {
  yield 1;
  yield 2;
};
assert.compareArray(Array.from(iterable, x => x * 2), [2, 4]);
assert.compareArray(Array.from({length: 2, 0: 'a', 1: 'b'}), ['a', 'b']);
