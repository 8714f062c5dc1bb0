// Bitwise operators work on 32 bits.

assertSame(-2147483648, 2147483648 | 0);
assertSame(4294967295, -1 >>> 0);
assertSame(1, 1 << 32);
assertSame(31, Math.clz32(1));
assertSame(-5, Math.imul(0xffffffff, 5));
assertTrue(Number.isSafeInteger(2 ** 53 - 1));
assertFalse(Number.isSafeInteger(2 ** 53));
