//! Wires a run: the tree's cases, this machine's processes, the reporters.

use std::ffi::OsString;
use std::io;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;

use flotilla_actors::{RunError, RunOptions, StopSource};
use flotilla_messages::Cases;
use flotilla_suites::Tree;

use crate::cli::Settings;
use crate::report::{self, Context, ReportError};

/// Unexpected outcomes that end a run, as in V8.
const MAX_FAILURES: u64 = 100;

/// Why a run cannot start, or broke off for a reason that is no test's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Our own program cannot be found, which is the built-in shell and the reaper as well.
    #[error("cannot find this program's own path: {0}")]
    Program(io::Error),
    /// A report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The actors could not do their work.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Error {
    /// 2 for what the user can mend on the command line, else 5.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Report(_) => 2,
            Self::Program(_) | Self::Run(_) => 5,
        }
    }
}

/// Runs the tests. Returns the exit code.
///
/// # Errors
/// [`Error`] when no test could be run, or the run broke off.
pub fn run(tree: Arc<Tree>, root: &Path, settings: &Settings, verbose: bool) -> Result<u8, Error> {
    let program = std::env::current_exe().map_err(Error::Program)?.into_os_string();
    let builtin = vec![program.clone(), "shell".into()];
    let context = Context { root: root.to_owned(), builtin: builtin.clone() };
    let cases: Arc<dyn Cases> = tree;
    let reporters = report::reporters(settings, verbose, &context, Arc::clone(&cases))?;
    let options = RunOptions {
        root: root.to_owned(),
        jobs: jobs(settings.j),
        builtin,
        env: environment(),
        output_cap: settings.max_output.unwrap_or(RunOptions::OUTPUT_CAP),
        max_heavy: settings.max_heavy_tests.map_or(1, NonZeroUsize::get),
        exit_after_failures: NonZeroU64::new(settings.exit_after_n_failures.unwrap_or(MAX_FAILURES)),
        keep_passing_output: false,
        reaper: Some(vec![program, crate::REAPER.into()]),
    };
    let summary = flotilla_actors::run(options, cases, reporters, StopSource::Signals)?;
    Ok(summary.exit_code())
}

/// `-j`, where 0 and nothing mean the number of processors.
fn jobs(given: Option<usize>) -> NonZeroUsize {
    given
        .and_then(NonZeroUsize::new)
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

/// The environment of every test: this process's, in English, without the variables that tell GoogleTest to
/// run only a part (V8 9.2 `command.py`: shards are the runner's business).
fn environment() -> Vec<(OsString, OsString)> {
    const LEFT_OUT: [&str; 3] = ["GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "LANG"];
    let mut env: Vec<_> =
        std::env::vars_os().filter(|(name, _)| !LEFT_OUT.iter().any(|out| name == out)).collect();
    env.push(("LANG".into(), "en_US.UTF-8".into()));
    env
}
