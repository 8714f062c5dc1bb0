// FAIL_OK in the status file: the engine is right, the test is not, and nobody wants to mend it.

assertSame('object', typeof Symbol());
