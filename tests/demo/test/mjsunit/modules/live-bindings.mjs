// An import is a view of the other module's variable, and read-only.

import Counter, * as counter from './skip-counter.mjs';
import {count, increment} from './skip-counter.mjs';

assertSame(0, count);
increment();
assertSame(1, count);
assertSame(1, counter.count);
assertThrows(() => { count = 5; }, TypeError);
assertSame('Counter', Counter.name);
assertUndefined(this);
assertEquals(['count', 'default', 'increment'], Object.keys(counter));
