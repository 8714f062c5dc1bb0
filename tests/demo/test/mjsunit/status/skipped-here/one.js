// Skipped by a rule for a whole directory: 'status/skipped-here/*'.

fail('a skipped test ran');
