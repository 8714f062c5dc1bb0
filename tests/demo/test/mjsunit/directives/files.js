// Files run before the harness and the test; their paths are relative to the root of the tree.

// Files: lib/queue.js

const queue = new Queue();
queue.push('a');
assertSame('a', queue.shift());
