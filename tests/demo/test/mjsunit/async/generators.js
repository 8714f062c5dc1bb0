// Async generators wait for what they yield; for await waits for them.

async function* countdown(n) {
  while (n > 0) yield Promise.resolve(n--);
}
(async function() {
  const seen = [];
  for await (const n of countdown(3)) {
    seen.push(n);
    if (n === 2) break;
  }
  for await (const n of [Promise.resolve('x')]) seen.push(n);
  assertEquals([3, 2, 'x'], seen);
  await assertThrowsAsync((async () => { for await (const x of [Promise.reject(new RangeError())]); })(), RangeError);
})();
