// FAIL in the status file: the expected output is not what the engine prints.

description('Octal texts');
shouldBe('Number("010")', '8');
