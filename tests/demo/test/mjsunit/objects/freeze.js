// A frozen object stays as it is; only strict code is told.

const frozen = Object.freeze({a: 1, inner: {b: 2}});
frozen.a = 2;
assertSame(1, frozen.a);
frozen.inner.b = 3;
assertSame(3, frozen.inner.b);
assertThrows(() => {
  'use strict';
  frozen.a = 2;
}, TypeError);
assertThrows(() => Object.defineProperty(frozen, 'c', {value: 1}), TypeError);
