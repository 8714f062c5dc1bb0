// A proxy that notes what is done to it, and one that breaks its promises.

const log = [];
const noted = new Proxy({x: 1}, {
  get(target, key, receiver) {
    log.push(`get ${String(key)}`);
    return Reflect.get(target, key, receiver);
  },
  has(target, key) {
    log.push(`has ${String(key)}`);
    return key in target;
  },
  deleteProperty(target, key) {
    log.push(`delete ${String(key)}`);
    return delete target[key];
  },
});
assertSame(1, noted.x);
assertFalse('y' in noted);
assertTrue(delete noted.x);
assertEquals(['get x', 'has y', 'delete x'], log);

const lying = new Proxy(Object.freeze({x: 1}), {get: () => 2});
assertThrows(() => lying.x, TypeError);
