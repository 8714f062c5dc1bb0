/*---
description: Assigning to a constant is an error when it happens
negative:
  phase: runtime
  type: TypeError
---*/

const fixed = 1;
fixed = 2;
