/*---
description: Dates without time; skipped by the status file, since the built-in engine does not know them
features: [Temporal]
---*/

assert.sameValue(Temporal.PlainDate.from('2021-05-17').day, 17);
