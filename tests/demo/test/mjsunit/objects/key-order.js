// Keys come as integers ascending, then strings, then symbols, each in order of creation.

const symbol = Symbol();
const object = {b: 1, [symbol]: 2, 10: 3, a: 4, 9: 5};
assertEquals(['9', '10', 'b', 'a', symbol], Reflect.ownKeys(object));
delete object.b;
object.b = 1;
assertEquals(['9', '10', 'a', 'b'], Object.keys(object));
assertSame('{"9":5,"10":3,"a":4,"b":1}', JSON.stringify(object));
