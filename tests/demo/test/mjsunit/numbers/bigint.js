// BigInts are exact, and do not mix with numbers.

let factorial = 1n;
for (let i = 1n; i <= 25n; i++) factorial *= i;
assertSame(15511210043330985984000000n, factorial);
assertSame(-4n, -7n / 2n - 1n);
assertSame(-1n, -7n % 2n);
assertThrows(() => 1n + 1, TypeError);
assertTrue(2n > 1 && 1n == 1);
assertSame(-1n, BigInt.asIntN(8, 255n));
assertSame('ff', 255n.toString(16));
