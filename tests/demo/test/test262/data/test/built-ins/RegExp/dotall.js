/*---
description: With the s flag, a dot is any character
features: [regexp-dotall]
---*/

assert.sameValue(/a.b/s.test('a\nb'), true);
assert.sameValue(/a.b/.test('a\nb'), false);
