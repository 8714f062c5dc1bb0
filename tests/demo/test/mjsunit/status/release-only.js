// Skipped in debug mode.

assertSame(4, 2 ** 2);
