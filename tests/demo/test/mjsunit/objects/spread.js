// Spreading copies own enumerable properties and runs getters.

const source = {a: 1, get b() { return this.a + 1; }};
const copy = {...source, c: 3, ...null, ...['h', 'i']};
assertEquals({0: 'h', 1: 'i', a: 1, b: 2, c: 3}, copy);
assertTrue('value' in Object.getOwnPropertyDescriptor(copy, 'b'));
const {a, ...others} = copy;
assertEquals(['0', '1', 'b', 'c'], Object.keys(others));
