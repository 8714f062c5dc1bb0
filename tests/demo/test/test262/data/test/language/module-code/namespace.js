/*---
description: A module can import itself; its namespace is sorted
flags: [module]
includes: [compareArray.js]
---*/

import * as self from './namespace.js';
export const b = 1;
export default function () {}
export {b as a};

assert.compareArray(Object.keys(self), ['a', 'b', 'default']);
assert.sameValue(Object.prototype.toString.call(self), '[object Module]');
