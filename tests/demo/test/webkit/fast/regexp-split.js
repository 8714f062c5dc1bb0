// Splitting by expressions.

description('Splitting');

shouldBe('"a1b2c".split(/\\d/)', '["a", "b", "c"]');
shouldBe('"a1b2c".split(/(\\d)/)', '["a", "1", "b", "2", "c"]');
shouldBe('"ab".split(/(?:)/)', '["a", "b"]');
shouldBe('"".split(/x/)', '[""]');
