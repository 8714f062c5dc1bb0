/*---
description: >
  unregister says whether there was anything to take back;
  collecting garbage before changes nothing while the target lives
features: [FinalizationRegistry, host-gc-required]
---*/

var registry = new FinalizationRegistry(function () {});
var target = {};
registry.register(target, 'held', target);
$262.gc();
assert.sameValue(registry.unregister(target), true);
assert.sameValue(registry.unregister(target), false);
