// Skipped by the same rule as its neighbour.

fail('a skipped test ran');
