// Skipped in the variant stress, run in all others.

assertTrue(true);
