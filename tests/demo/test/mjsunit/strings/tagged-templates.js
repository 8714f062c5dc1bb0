// A tag sees cooked and raw strings, and the same array each time.

function tag(strings, ...values) {
  return {strings, values};
}
function run() {
  return tag`a\n${1 + 1}\u{41}`;
}
const first = run();
assertEquals(['a\n', 'A'], [...first.strings]);
assertEquals(['a\\n', '\\u{41}'], [...first.strings.raw]);
assertEquals([2], first.values);
assertSame(first.strings, run().strings);
assertUndefined(tag`\unicode`.strings[0]);
