/*---
description: Most tests run twice, in sloppy and in strict mode
---*/

var strict = (function () { return this === undefined; })();
assert.sameValue(typeof strict, 'boolean');
