/*---
description: Files that end in _FIXTURE are no tests; others import them
flags: [module]
---*/

import {value} from './value_FIXTURE.js';

assert.sameValue(value, 42);
