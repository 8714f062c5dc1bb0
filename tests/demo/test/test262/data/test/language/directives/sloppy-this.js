/*---
description: >
  Forgot its onlyStrict flag: passes in strict mode and fails in sloppy mode,
  which the status file says with FAIL_SLOPPY
---*/

assert.sameValue((function () { return this; })(), undefined);
