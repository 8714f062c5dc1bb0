// Each await lets the other functions run first.

const order = [];
async function worker(name, turns) {
  for (let i = 0; i < turns; i++) {
    order.push(name + i);
    await null;
  }
}
const both = Promise.all([worker('a', 3), worker('b', 2)]);
order.push('sync');
both.then(() => assertEquals(['a0', 'b0', 'sync', 'a1', 'b1', 'a2'], order));
