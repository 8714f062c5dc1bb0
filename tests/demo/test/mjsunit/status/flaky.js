// PASS or FAIL: either is as expected. Tests that depend on the time of the day are marked so, until they are mended.

assertTrue(new Date().getMilliseconds() % 2 === 0, 'an even millisecond');
