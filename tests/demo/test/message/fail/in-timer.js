// An exception in a timer ends the run: later timers do not run.

setTimeout(() => {
  throw new RangeError('late');
});
setTimeout(() => print('never printed'));
print('first');
