// Accessors run code, are inherited, and see the receiver.

const base = {
  get double() {
    return this.single * 2;
  },
  set double(value) {
    this.single = value / 2;
  },
};
const derived = Object.create(base, {single: {value: 4, writable: true}});
assertSame(8, derived.double);
derived.double = 10;
assertSame(5, derived.single);
assertFalse(Object.hasOwn(derived, 'double'));
