// Fixed and exponential forms.

description('Numbers as texts');

shouldBe('(1234.5678).toFixed(2)', '"1234.57"');
shouldBe('(0.000001234).toString()', '"0.000001234"');
shouldBe('(0.0000001234).toString()', '"1.234e-7"');
shouldBe('(123456).toExponential(2)', '"1.23e+5"');
shouldBe('(123.456).toPrecision(4)', '"123.5"');
shouldThrow('(1).toFixed(101)', 'RangeError');
