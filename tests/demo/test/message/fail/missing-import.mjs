// A module that imports what is not there does not run.

import './no-such-module.mjs';
print('never printed');
