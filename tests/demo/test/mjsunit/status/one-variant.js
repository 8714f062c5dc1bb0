// NO_VARIANTS in the status file: only the default variant runs, however many are asked for.

assertSame('undefined', typeof window);
