// A class that extends Array is an exotic array, and its methods make more of them.

class Stack extends Array {
  get top() {
    return this[this.length - 1];
  }
}
const stack = Stack.of(1, 2, 3);
stack[5] = 6;
assertSame(6, stack.length);
assertSame(6, stack.top);
assertInstanceof(stack.filter(x => x > 1), Stack);
assertTrue(Array.isArray(stack));
