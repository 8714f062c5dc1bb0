// The one date format that every engine must read.

description('Reading dates');

shouldBe('Date.parse("1970-01-01T00:00:00.000Z")', '0');
shouldBe('Date.parse("2000-02-29")', '951782400000');
shouldBe('Date.parse("1969-12-31T23:59:59.999Z")', '-1');
shouldBe('Date.parse("no date")', 'NaN');
shouldBe('new Date(8.64e15).toISOString()', '"+275760-09-13T00:00:00.000Z"');
shouldThrow('new Date(NaN).toISOString()', 'RangeError');
