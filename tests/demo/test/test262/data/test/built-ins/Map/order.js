/*---
description: A map keeps the order of insertion, also while it is changed
includes: [compareArray.js]
---*/

var map = new Map([['a', 1], ['b', 2]]);
var seen = [];
map.forEach((value, key) => {
  seen.push(key);
  if (key === 'a') {
    map.delete('b');
    map.set('c', 3);
  }
});
assert.compareArray(seen, ['a', 'c']);
