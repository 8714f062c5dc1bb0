/*---
description: Reactions run in the order in which they were added
flags: [async]
includes: [compareArray.js]
---*/

var order = [];
var promise = Promise.resolve();
promise.then(() => order.push(1));
promise.then(() => order.push(2));
promise.then(() => assert.compareArray(order, [1, 2])).then($DONE, $DONE);
