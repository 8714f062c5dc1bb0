// With the u flag, a dot is a code point and \p{} knows its properties.

assertSame(2, '\u{1F600}'.match(/./)[0].length * 2);
assertSame('\u{1F600}', '\u{1F600}!'.match(/./u)[0]);
assertTrue(/^\p{Script=Greek}+$/u.test('\u03b1\u03b2'));
assertTrue(/^\p{Lu}\p{Ll}$/u.test('\u00c9\u00e9'));
assertThrows(String.raw`/\p{Nonsense}/u`, SyntaxError);
