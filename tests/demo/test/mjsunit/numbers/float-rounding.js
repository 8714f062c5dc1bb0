// Numbers are doubles: rounding shows, and signs of zero count.

assertNotEquals(0.3, 0.1 + 0.2);
assertSame(9007199254740992, 2 ** 53 + 1);
assertSame(-0, Math.round(-0.4));
assertSame(-Infinity, 1 / -0);
assertSame(Math.fround(5.5), 5.5);
assertNotEquals(5.05, Math.fround(5.05));
assertSame('1.00', (1.005).toFixed(2));
