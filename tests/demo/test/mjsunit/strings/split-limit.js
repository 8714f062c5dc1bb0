// split keeps captured separators and obeys its limit.

assertEquals(['a', 'b'], 'a,b,c'.split(',', 2));
assertEquals(['a', ',', 'b'], 'a,b'.split(/(,)/));
assertEquals(['a', 'b', 'c'], 'abc'.split(''));
assertEquals([''], ''.split(','));
assertEquals([], ''.split(''));
