/*---
description: Nothing after a missing link is evaluated
features: [optional-chaining]
---*/

var touched = 0;
assert.sameValue(null?.a[touched++].b(), undefined);
assert.sameValue(touched, 0);
assert.sameValue({a: {b: () => 7}}?.a?.b?.(), 7);
