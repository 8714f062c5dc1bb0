// SLOW in the status file: it may take four times as long, and starts before the others.

const limit = 200000;
const composite = new Uint8Array(limit);
let count = 0;
for (let i = 2; i < limit; i++) {
  if (composite[i]) continue;
  count++;
  for (let j = i * i; j < limit; j += i) composite[j] = 1;
}
assertSame(17984, count);
