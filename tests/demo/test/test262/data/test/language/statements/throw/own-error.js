/*---
description: A test that must end with an error of the harness
negative:
  phase: runtime
  type: Test262Error
---*/

throw new Test262Error('as expected');
