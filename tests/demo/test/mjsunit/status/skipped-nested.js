// Skipped by a condition inside of the list of outcomes.

fail('a skipped test ran');
