// Flags may stand in several lines, with several flags in a line; what the engine does not know it ignores.

// Flags: --harmony-something --expose-gc-as=collect
// Flags: --use-strict

assertSame('function', typeof collect);
assertThrows(() => { undeclared = 1; }, ReferenceError);
