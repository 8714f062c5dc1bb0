/*---
description: A revoked proxy refuses everything
features: [Proxy]
---*/

var {proxy, revoke} = Proxy.revocable({}, {});
proxy.x = 1;
revoke();
assert.throws(TypeError, () => proxy.x);
assert.throws(TypeError, () => Object.keys(proxy));
