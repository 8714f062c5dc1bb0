// A string counts UTF-16 units, its iterator gives code points.

const smile = 'a\u{1F600}b';
assertSame(4, smile.length);
assertEquals(['a', '\u{1F600}', 'b'], [...smile]);
assertSame(0x1F600, smile.codePointAt(1));
assertSame(0xDE00, smile.codePointAt(2));
assertSame(smile, String.fromCodePoint(0x61, 0x1F600, 0x62));
assertThrows(() => String.fromCodePoint(0x110000), RangeError);
