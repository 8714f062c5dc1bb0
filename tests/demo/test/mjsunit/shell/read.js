// read gives a file's text, readbuffer its bytes.

const path = 'lib/queue.js';
const text = read(path);
assertTrue(text.startsWith('// A queue'));
assertSame(text.length, new Uint8Array(readbuffer(path)).length);
assertSame('/'.charCodeAt(0), new Uint8Array(read(path, 'binary'))[0]);
assertThrows(() => read('lib/missing.js'), Error);
