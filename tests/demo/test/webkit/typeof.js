// The eight answers of typeof.

description('typeof');

shouldBe('typeof 1', '"number"');
shouldBe('typeof 1n', '"bigint"');
shouldBe('typeof ""', '"string"');
shouldBe('typeof null', '"object"');
shouldBe('typeof undefined', '"undefined"');
shouldBe('typeof Symbol()', '"symbol"');
shouldBe('typeof class {}', '"function"');
shouldBe('typeof undeclared', '"undefined"');
shouldThrow('typeof laterDeclared; let laterDeclared', 'ReferenceError');
