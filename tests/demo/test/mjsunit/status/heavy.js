// HEAVY in the status file: few such tests run at the same time, since each needs a lot of memory.

const block = new Uint8Array(64 << 20).fill(1);
assertSame(-1, block.indexOf(2));
