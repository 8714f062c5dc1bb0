// Weak collections take objects as keys, and nothing that lives for ever.

const key = {};
const map = new WeakMap([[key, 'value']]);
assertSame('value', map.get(key));
assertTrue(map.delete(key));
assertFalse(map.has(key));
assertThrows(() => map.set('text', 1), TypeError);
assertThrows(() => new WeakSet([1]), TypeError);
assertSame(key, new WeakRef(key).deref());
