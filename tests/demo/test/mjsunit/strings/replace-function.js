// The replacement function sees the match, its groups, the position and the whole.

const calls = [];
const result = 'k1=v1;k2=v2'.replace(/(\w+)=(\w+)/g, (...args) => {
  calls.push(args);
  return `${args[2]}=${args[1]}`;
});
assertSame('v1=k1;v2=k2', result);
assertEquals(['k2=v2', 'k2', 'v2', 6, 'k1=v1;k2=v2'], calls[1]);
assertSame('$x', 'a'.replace('a', '$$x'));
assertSame('[b]b', 'ab'.replace('a', "[$']"));
