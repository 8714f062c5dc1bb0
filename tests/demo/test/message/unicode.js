// Output is UTF-8; a lone surrogate has none.

print('gr\u00fc\u00df', '\u{1F600}', 'a\ud800b');
