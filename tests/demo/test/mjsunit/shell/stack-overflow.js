// Recursion without end is an exception, and one can go on after it.

let depth = 0;
function descend() {
  depth++;
  descend();
}
for (let i = 0; i < 3; i++) {
  depth = 0;
  assertThrows(descend, RangeError);
  assertTrue(depth > 100, `depth ${depth}`);
}
