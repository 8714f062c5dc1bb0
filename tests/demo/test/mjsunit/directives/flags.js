// Flags of a test are passed to the shell: this one defines gc().

// Flags: --expose-gc

assertSame('function', typeof gc);
gc();
