/*---
description: Importing what a module does not export is an error before anything runs
flags: [module]
negative:
  phase: resolution
  type: SyntaxError
---*/

$DONOTEVALUATE();

import {missing} from './value_FIXTURE.js';
