//! What the tests of several crates share; there with the feature `for-tests` only, which no program turns on.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::{Arg, Expectation, Judge, Program, TestCase, TestName};

/// The environment variable that turns tests that cannot run here into failures. `.ci/full` sets it.
pub const NO_SKIPS: &str = "FLOTILLA_NO_SKIPS";

impl TestCase {
    /// The test `NAME` of the suite `s`, in its default variant: the built-in shell runs `test/NAME.js`, and exit
    /// code 0 passes. Change the fields that matter.
    pub fn for_tests(name: &str) -> Self {
        let args = vec![Arg::Path(format!("test/{name}.js"))];
        let name = TestName { suite: "s".into(), name: name.into(), variant: "default".into(), detail: None };
        Self {
            id: name.path(),
            name,
            prefix: Vec::new(),
            program: Program::Builtin,
            args,
            env: BTreeMap::new(),
            unset_env: Vec::new(),
            timeout: Duration::from_secs(60),
            term_grace: None,
            judge: Judge::ExitCode,
            recipe: None,
            expected_file: None,
            expectation: Expectation::pass(),
            slow: false,
            heavy: false,
            variant_flags: Vec::new(),
            random_seed: None,
        }
    }
}

/// Reports that the current test cannot run on this machine: `skipped: NAME: needs X` on standard error, past the
/// capture of the test harness. The caller returns.
///
/// # Panics
/// If [`NO_SKIPS`] is set: the test fails.
pub fn skipped(needs: &str) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    assert!(std::env::var_os(NO_SKIPS).is_none(), "{name}: needs {needs}, and {NO_SKIPS} is set");
    // Nothing is lost if nobody reads it.
    let _ = writeln!(std::io::stderr(), "skipped: {name}: needs {needs}");
}
