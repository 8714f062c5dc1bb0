//! A test of a suite with a `suite.toml`.

use flotilla_messages::Arg;

use crate::kind::Source;

/// A test of a suite of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomTest {
    /// Its name within the suite.
    pub name: String,
    /// Its file, where files are tests.
    pub file: Option<Arg>,
    /// What `--cat` shows.
    pub source: Source,
}

/// GoogleTest runs no test or case whose name begins so.
const DISABLED: &str = "DISABLED_";
/// The option by which it does.
pub const RUN_DISABLED: &str = "--gtest_also_run_disabled_tests";

/// Whether GoogleTest runs a test only if asked to.
pub fn is_disabled(name: &str) -> bool {
    name.split(['.', '/']).any(|part| part.starts_with(DISABLED))
}
