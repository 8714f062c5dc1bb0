// flat and flatMap unwrap nested arrays, to the depth asked for.

const nested = [1, [2, [3, [4]]]];
assertEquals([1, 2, [3, [4]]], nested.flat());
assertEquals([1, 2, 3, 4], nested.flat(Infinity));
assertEquals([1, 1, 2, 2], [1, 2].flatMap(x => [x, x]));
assertEquals([[1]], [1].flatMap(x => [[x]]));
