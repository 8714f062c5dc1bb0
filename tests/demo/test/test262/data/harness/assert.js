/*---
description: Assertions.
defines: [assert]
---*/

function assert(condition, message) {
  if (condition !== true) {
    throw new Test262Error(message || 'expected true, found ' + String(condition));
  }
}

assert.sameValue = function (actual, expected, message) {
  if (!Object.is(actual, expected)) {
    throw new Test262Error(
      (message ? message + ': ' : '') + 'expected ' + String(expected) + ', found ' + String(actual));
  }
};

assert.notSameValue = function (actual, unexpected, message) {
  if (Object.is(actual, unexpected)) {
    throw new Test262Error((message ? message + ': ' : '') + 'did not expect ' + String(unexpected));
  }
};

assert.throws = function (type, code, message) {
  try {
    code();
  } catch (error) {
    if (error === null || typeof error !== 'object' || error.constructor !== type) {
      throw new Test262Error((message ? message + ': ' : '') + 'expected ' + type.name + ', caught ' + error);
    }
    return;
  }
  throw new Test262Error((message ? message + ': ' : '') + 'expected ' + type.name + ', nothing was thrown');
};
