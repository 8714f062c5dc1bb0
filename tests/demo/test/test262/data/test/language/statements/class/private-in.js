/*---
description: A brand check with a private name
features: [class-fields-private-in]
---*/

class C {
  #brand;
  static check(value) {
    return #brand in value;
  }
}
assert.sameValue(C.check(new C()), true);
assert.sameValue(C.check({}), false);
