/*---
description: The attributes of an array's length
includes: [propertyHelper.js]
---*/

verifyProperty([1], 'length', {value: 1, writable: true, enumerable: false, configurable: false});
