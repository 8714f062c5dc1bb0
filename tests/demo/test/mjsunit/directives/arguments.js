// What follows two dashes is for the test, not for the engine.

// Flags: -- first 'the second' --throws

assertEquals(['first', 'the second', '--throws'], Array.from(arguments));
