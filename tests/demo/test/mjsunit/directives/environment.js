// Environment variables of a test: a time zone three and a half hours ahead.

// Environment Variables: TZ=DEMO-3:30 LC_ALL=C

const noon = new Date(2021, 5, 1, 12);
assertSame(-210, noon.getTimezoneOffset());
assertSame('2021-06-01T08:30:00.000Z', noon.toISOString());
