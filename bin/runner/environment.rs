//! What tests get of the environment.

use std::ffi::OsString;

/// The environment of every test: this process's, in English, without the variables that tell GoogleTest to
/// run only a part (V8 9.2 `command.py`: shards are the runner's business).
pub fn of_tests() -> Vec<(OsString, OsString)> {
    const LEFT_OUT: [&str; 3] = ["GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "LANG"];
    let mut env: Vec<_> =
        std::env::vars_os().filter(|(name, _)| !LEFT_OUT.iter().any(|out| name == out)).collect();
    env.push(("LANG".into(), "en_US.UTF-8".into()));
    env
}
