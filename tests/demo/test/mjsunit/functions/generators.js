// A generator can be fed, returned from and thrown into.

function* accumulate() {
  let sum = 0;
  try {
    while (true) sum += yield sum;
  } finally {
    yield 'cleanup';
  }
}
const generator = accumulate();
assertEquals({value: 0, done: false}, generator.next('ignored'));
assertSame(3, generator.next(3).value);
assertSame(7, generator.next(4).value);
assertEquals({value: 'cleanup', done: false}, generator.return('end'));
assertEquals({value: 'end', done: true}, generator.next());

function* delegate() {
  return yield* [1, 2];
}
assertEquals([1, 2], [...delegate()]);
