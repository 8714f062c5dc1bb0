// slice, substring and at, with numbers out of range.

description('Parts of strings');

shouldBe('"abcde".slice(-3, -1)', '"cd"');
shouldBe('"abcde".slice(3, 1)', '""');
shouldBe('"abcde".substring(3, 1)', '"bc"');
shouldBe('"abcde".substring(NaN, 2)', '"ab"');
shouldBe('"abcde".at(-1)', '"e"');
shouldBe('"abcde".at(5)', 'undefined');
