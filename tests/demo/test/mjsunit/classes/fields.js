// Fields are defined in order, before the rest of the constructor runs.

const order = [];
class Base {
  a = order.push('a');
  constructor() {
    order.push('base');
  }
}
class Derived extends Base {
  b = order.push('b');
  static count = order.push('static');
  ['computed' + 1] = this.b;
  constructor() {
    order.push('before');
    super();
    order.push('derived');
  }
}
const instance = new Derived();
assertEquals(['static', 'before', 'a', 'base', 'b', 'derived'], order);
assertSame(instance.b, instance.computed1);
