/*---
description: The ?? operator does not mix with || without parentheses
features: [coalesce-expression]
negative:
  phase: parse
  type: SyntaxError
---*/

$DONOTEVALUATE();

null || undefined ?? 1;
