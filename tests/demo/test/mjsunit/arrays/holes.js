// A hole is not an element: some methods skip it, others see undefined.

const holed = [1, , 3];
assertFalse(1 in holed);
let visited = [];
holed.forEach((_, index) => visited.push(index));
assertEquals([0, 2], visited);
assertEquals([1, undefined, 3], [...holed]);
assertEquals(1, holed.findIndex(x => x === undefined));
assertEquals('1,,3', holed.join());
