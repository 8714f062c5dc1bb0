/*---
description: >
  Stands for an engine that looks into a regular expression only when it evaluates it: the right error comes in the
  wrong phase, which the status file says with FAIL_PHASE_ONLY
negative:
  phase: parse
  type: SyntaxError
---*/

$DONOTEVALUATE();

(0, eval)('/(/');
