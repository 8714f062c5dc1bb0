// The stack of an Error, as its first line and the frames.

function inner() {
  return new RangeError('deep');
}
function outer() {
  return inner();
}
print(outer().stack.split('\n').slice(0, 3).join('\n'));
