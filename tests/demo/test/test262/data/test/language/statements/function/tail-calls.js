/*---
description: Proper tail calls; expected to fail, since hardly any engine has them
flags: [onlyStrict]
features: [tail-call-optimization]
---*/

(function countdown(n) {
  return n === 0 ? 0 : countdown(n - 1);
})(1000000);
