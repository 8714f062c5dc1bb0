/*---
description: Properties and their attributes.
defines: [verifyProperty]
---*/

function verifyProperty(object, name, expected) {
  var found = Object.getOwnPropertyDescriptor(object, name);
  assert(found !== undefined, String(name) + ' is an own property');
  for (var key in expected) {
    assert.sameValue(found[key], expected[key], String(name) + ', ' + key);
  }
}
