// SKIP in the status file: this test would fail. A runner that does not read status files shows it.

fail('a skipped test ran');
