// Flags: --use-strict

// In strict mode, which this test asks for by a flag, variables must be declared.

undeclared = 1;
