// splice returns what it takes out, and closes or opens the gap.

const letters = ['a', 'b', 'c', 'd'];
assertEquals(['b', 'c'], letters.splice(1, 2));
assertEquals(['a', 'd'], letters);
assertEquals([], letters.splice(1, 0, 'x', 'y', 'z'));
assertEquals(['a', 'x', 'y', 'z', 'd'], letters);
assertEquals(['d'], letters.splice(-1));
assertSame(4, letters.length);
