// load runs a script in this realm; its path is relative to the root of the tree.

load('lib/queue.js');
const queue = new Queue();
[1, 2].forEach(x => queue.push(x));
assertEquals([1, 2, undefined], [queue.shift(), queue.shift(), queue.shift()]);
assertThrows(() => load('lib/missing.js'), Error);
