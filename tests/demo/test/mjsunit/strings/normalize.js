// One letter, two spellings: composed and decomposed.

const composed = '\u00e9';
const decomposed = 'e\u0301';
assertFalse(composed === decomposed);
assertSame(composed, decomposed.normalize('NFC'));
assertSame(decomposed, composed.normalize('NFD'));
assertSame('fi', '\ufb01'.normalize('NFKC'));
assertThrows(() => ''.normalize('NFX'), RangeError);
