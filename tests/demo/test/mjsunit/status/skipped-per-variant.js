// Skipped by a section whose condition asks for the variant, and is true for each of them.

fail('a skipped test ran');
