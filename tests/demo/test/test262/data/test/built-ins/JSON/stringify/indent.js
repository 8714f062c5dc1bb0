/*---
description: The third argument indents, by at most ten blanks
---*/

assert.sameValue(JSON.stringify([1], null, 2), '[\n  1\n]');
assert.sameValue(JSON.stringify([1], null, 99), '[\n          1\n]');
assert.sameValue(JSON.stringify({a: undefined, b: () => 1}, null, '-'), '{}');
