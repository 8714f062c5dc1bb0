// all, allSettled, any and race.

const good = Promise.resolve(1);
const bad = Promise.reject(new Error('bad'));
const never = new Promise(() => {});
(async function() {
  assertEquals([1, 2], await Promise.all([good, 2]));
  await assertThrowsAsync(Promise.all([good, bad]), Error, 'bad');
  assertEquals(['fulfilled', 'rejected'], (await Promise.allSettled([good, bad])).map(x => x.status));
  assertSame(1, await Promise.any([bad, good]));
  await assertThrowsAsync(Promise.any([bad]), AggregateError);
  assertSame(1, await Promise.race([never, good]));
})();
