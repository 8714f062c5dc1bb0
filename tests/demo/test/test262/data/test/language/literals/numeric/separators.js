/*---
description: Digits can be grouped
features: [numeric-separator-literal]
---*/

assert.sameValue(1_000_000, 1000000);
assert.sameValue(0xff_ff, 65535);
assert.throws(SyntaxError, () => (0, eval)('1__0'));
