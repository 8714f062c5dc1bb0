// Numbers are printed and parsed in bases from 2 to 36.

assertSame('zz', (35 * 36 + 35).toString(36));
assertSame('0.1', (0.5).toString(2));
assertSame(-255, parseInt('-0xff'));
assertSame(5, parseInt('101 of them', 2));
assertSame(NaN, parseInt('9', 8));
assertThrows(() => (1).toString(37), RangeError);
