// Lone surrogates can be found and replaced.

assertFalse('a\ud800'.isWellFormed());
assertTrue('\ud83d\ude00'.isWellFormed());
assertSame('a\ufffd', 'a\ud800'.toWellFormed());
assertThrows(() => encodeURIComponent('\udc00'), URIError);
