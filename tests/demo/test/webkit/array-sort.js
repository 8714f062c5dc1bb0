// Without a function, sort compares texts.

description('Sorting arrays');

shouldBe('[10, 9, 1].sort()', '[1, 10, 9]');
shouldBe('[10, 9, 1].sort((a, b) => a - b)', '[1, 9, 10]');
shouldBe('["b", undefined, "a"].sort()', '["a", "b", undefined]');
shouldThrow('[1, 2].sort("up")', 'TypeError');
