// Promise jobs come before timers, timers in the order they were set; the shell waits for both.

const order = [];
setTimeout(() => order.push('timer 1'));
setTimeout(() => {
  order.push('timer 2');
  Promise.resolve().then(() => order.push('job of timer 2'));
});
setTimeout(() => {
  assertEquals(['script', 'job', 'timer 1', 'timer 2', 'job of timer 2'], order);
});
Promise.resolve().then(() => order.push('job'));
order.push('script');
