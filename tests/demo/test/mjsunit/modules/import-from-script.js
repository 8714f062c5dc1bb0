// A classic script can import modules, too.

import('./skip-counter.mjs').then(module => {
  assertSame(0, module.count);
  assertSame(1, module.increment());
});
