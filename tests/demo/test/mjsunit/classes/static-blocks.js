// A static block runs once, with this as the class.

class Config {
  static values = new Map();
  static {
    for (const key of ['a', 'b']) this.values.set(key, key.toUpperCase());
  }
  static size = this.values.size;
}
assertSame(2, Config.size);
assertEquals(new Map([['a', 'A'], ['b', 'B']]), Config.values);
