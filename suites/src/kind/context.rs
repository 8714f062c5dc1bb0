//! What a run says of one test instance.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use flotilla_messages::{Expectation, TestName};

use crate::expectations::Outcomes;

/// What a test whose time is over has from SIGTERM to SIGKILL (V8 10.6 command.py), if anything.
pub const TERM_GRACE: Duration = Duration::from_millis(100);

/// What a kind is told of one test instance, to make its case.
pub struct CaseContext<'a> {
    /// The test's names.
    pub name: TestName,
    /// Its stable id.
    pub id: String,
    /// The tree's root, in which tests run.
    pub root: &'a Path,
    /// The words before every command.
    pub prefix: &'a [String],
    /// `--random-seed`
    pub seed: i64,
    /// Seconds, with all factors that do not depend on the test.
    pub timeout: f64,
    /// By how much slow tests may take longer.
    pub slow_factor: f64,
    /// `--extra-flags`, and what other options and the build add to them.
    pub extra_flags: &'a [String],
    /// The flags that the instance's variant means.
    pub variant_flags: Vec<String>,
    /// Those that status files say.
    pub status_flags: Vec<String>,
    /// What status files say of its outcome.
    pub outcomes: Outcomes,
    /// Whether that makes it a slow test.
    pub slow: bool,
    /// Whether it is the instance in strict mode.
    pub strict: bool,
    /// test262: whether it is the reverse half of a FAIL_PHASE_ONLY test.
    pub reverse: bool,
    /// Whether it is to run, rather than only listed.
    pub runs: bool,
    /// See [`Self::expectation`].
    pub expects: &'a dyn Fn(Option<TestFlags<'_>>) -> Expectation,
}

impl CaseContext<'_> {
    /// What is expected of the instance with these flags. Without any, nothing is said of flags that contradict each other.
    pub fn expectation(&self, flags: Option<TestFlags<'_>>) -> Expectation {
        (self.expects)(flags)
    }
}

impl fmt::Debug for CaseContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaseContext").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The flags of one test, by where they come from; in the order of its command line, as they are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct TestFlags<'a> {
    /// All of them.
    pub all: &'a [String],
    /// All but the extra flags.
    pub without_extra: &'a [String],
    /// The extra flags.
    pub extra: &'a [String],
    /// Those of the source, the suite and the status files.
    pub file: &'a [String],
}
