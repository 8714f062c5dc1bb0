/*---
description: An untagged template must have valid escapes
negative:
  phase: parse
  type: SyntaxError
---*/

$DONOTEVALUATE();

`\u{110000}`;
