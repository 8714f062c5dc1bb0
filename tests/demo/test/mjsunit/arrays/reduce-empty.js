// Without a first value, an empty array cannot be reduced.

assertThrows(() => [].reduce((a, b) => a + b), TypeError);
assertSame(7, [].reduce((a, b) => a + b, 7));
assertSame('cba', ['a', 'b', 'c'].reduceRight((a, b) => a + b));
