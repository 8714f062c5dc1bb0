/*---
description: Arrays, element by element.
defines: [compareArray]
---*/

function compareArray(a, b) {
  return a.length === b.length && a.every((element, index) => Object.is(element, b[index]));
}

assert.compareArray = function (actual, expected, message) {
  assert(
    compareArray(actual, expected),
    (message ? message + ': ' : '') + 'expected [' + expected.join() + '], found [' + actual.join() + ']');
};
