//! What a run is about to do, for those who read its reports.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// What a run is about to do: its header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The builds under test, in the order of the command line.
    pub builds: Vec<BuildHeader>,
    /// How often each test runs, if not simply once.
    pub rounds: Option<Rounds>,
    /// How many tests are expected to end how, if that was asked for (`--report`).
    pub forecast: Option<Forecast>,
    /// Rules of status files that no test of this run uses, if they were asked for (`--warn-unused`).
    pub unused_rules: Vec<String>,
}

/// One build under test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildHeader {
    /// The build's directory, if there is a build.
    pub build_dir: Option<PathBuf>,
    /// The build's options, as V8's runner prints them.
    pub detected: Vec<String>,
    /// The architecture, such as `x64`.
    pub arch: String,
    /// `release`, `debug` or `release+dchecks`.
    pub mode: String,
    /// What runs the tests: a path relative to the root, or `built-in shell`; several, separated by commas.
    pub engine: String,
    /// The selected variants, in the order they run.
    pub variants: Vec<String>,
    /// Whose rules hold, such as `V8 9.2`, if that was asked for.
    pub rules: Option<String>,
}

/// How often each test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// The number of runs of each test; `None`: until the run is ended.
    pub count: Option<u32>,
    /// Each round has another seed.
    pub seeds: bool,
}

/// How many tests are expected to end how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// All tests.
    pub total: u64,
    /// Tests that status files skip.
    pub skipped: u64,
    /// Tests of which no case can be made.
    pub unrunnable: u64,
    /// Tests expected only to pass.
    pub pass: u64,
    /// Tests expected only to fail.
    pub fail: u64,
    /// Tests that may crash.
    pub may_crash: u64,
    /// Tests that may pass or fail.
    pub either: u64,
}

impl Forecast {
    /// Counts a test that runs and is expected to end in one of these ways.
    pub fn add_expected(&mut self, outcomes: &[Outcome]) {
        let count = match outcomes {
            [Outcome::Pass] => &mut self.pass,
            [Outcome::Fail] => &mut self.fail,
            outcomes if outcomes.contains(&Outcome::Crash) => &mut self.may_crash,
            _ => &mut self.either,
        };
        *count += 1;
        self.total += 1;
    }
}
