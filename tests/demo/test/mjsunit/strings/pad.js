// padStart and padEnd repeat the filler and cut it to fit.

assertSame('007', '7'.padStart(3, '0'));
assertSame('abcab-', '-'.padStart(6, 'abc'));
assertSame('x    ', 'x'.padEnd(5));
assertSame('long', 'long'.padEnd(2));
assertSame('x', 'x'.padEnd(5, ''));
