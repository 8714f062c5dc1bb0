//! The environment of tests.

use std::ffi::OsString;

/// The environment of every test: this process's, with LANG set to English, and without the variables by which
/// GoogleTest runs only a shard (V8 9.2 `command.py`), as the runner itself divides the tests.
pub fn of_tests() -> Vec<(OsString, OsString)> {
    const REMOVED: [&str; 3] = ["GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "LANG"];
    let mut env: Vec<_> =
        std::env::vars_os().filter(|(name, _)| !REMOVED.iter().any(|removed| name == removed)).collect();
    env.push(("LANG".into(), "en_US.UTF-8".into()));
    env
}
