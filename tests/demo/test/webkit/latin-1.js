// Sources need not be UTF-8: this comment is Latin-1, grüße.

description('Other bytes than UTF-8');
shouldBe('"é".length', '1');
