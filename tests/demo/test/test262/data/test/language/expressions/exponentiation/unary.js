/*---
description: A unary operator needs parentheses before **
negative:
  phase: parse
  type: SyntaxError
---*/

$DONOTEVALUATE();

-1 ** 2;
