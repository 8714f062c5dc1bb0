// let makes a binding for each turn of a loop, var one for all.

const functions = [];
for (let i = 0; i < 3; i++) functions.push(() => i++);
assertEquals([0, 1, 2], functions.map(f => f()));
assertSame(1, functions[0]());

const shared = [];
for (var j = 0; j < 3; j++) shared.push(() => j);
assertEquals([3, 3, 3], shared.map(f => f()));
