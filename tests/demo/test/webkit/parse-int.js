// parseInt stops at the first character that is no digit.

description('Reading integers');

shouldBe('parseInt(" 42px")', '42');
shouldBe('parseInt("0x1F")', '31');
shouldBe('parseInt("-0")', '-0');
shouldBe('parseInt("")', 'NaN');
shouldBe('parseInt("12", 3)', '5');
shouldBe('parseInt(0.0000005)', '5');
shouldBe('parseFloat("3.14.15")', '3.14');
