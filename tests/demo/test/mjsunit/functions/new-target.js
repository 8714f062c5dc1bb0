// new.target tells a construction from a call, and which class is built.

function F() {
  return new.target;
}
assertUndefined(F());
let seen;
class A {
  constructor() {
    seen = new.target;
  }
}
class B extends A {}
new B();
assertSame(B, seen);
Reflect.construct(A, [], F);
assertSame(F, seen);
assertThrows(() => A(), TypeError);
