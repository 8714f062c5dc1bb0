// Two typed arrays on one buffer show the same bytes.

const buffer = new ArrayBuffer(8);
const bytes = new Uint8Array(buffer);
new DataView(buffer).setUint32(0, 0x01020304);
assertEquals([1, 2, 3, 4], Array.from(bytes.subarray(0, 4)));
new Float32Array(buffer, 4, 1)[0] = 1.5;
assertSame(1.5, new DataView(buffer).getFloat32(4, new Uint8Array(new Uint16Array([1]).buffer)[0] === 1));
bytes[0] = 257;
assertSame(1, bytes[0]);
assertThrows(() => new Uint16Array(buffer, 1), RangeError);
