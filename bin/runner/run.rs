//! Wires a run: the tree's cases, this machine's processes, the reporters.

use std::ffi::{OsStr, OsString};
use std::io;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flotilla_actors::run::drive;
use flotilla_actors::run::scheduler::{ConfirmFailures, Reruns};
use flotilla_actors::{RunError, RunOptions, StopSource};
use flotilla_messages::{Cases, RunHeader};
use flotilla_suites::{Framework, Products, Shard};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::report::{Context, ReportError, Told};
use crate::runner::control::{Control, Flaky};
use crate::runner::history::History;
use crate::runner::network::{Network, Request};
use crate::runner::reporters;
use crate::runner::settings::{Confirm, Settings};
use crate::runner::special::Special;

/// Unexpected outcomes that end a run, as in V8.
const MAX_FAILURES: u64 = 100;
/// Tests that are run again, likewise.
const MAX_RERUN: u64 = 100;

/// Why a run cannot start, or broke off for a reason that is no test's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Our own program cannot be found, which is the built-in shell and the reaper as well.
    #[error("cannot find this program's own path: {0}")]
    Program(io::Error),
    /// A report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Not even one test could run.
    #[error("cannot run tests with {0} open files (ulimit -n): one at a time needs {1}")]
    Descriptors(u64, u64),
    /// No tests are to run here, and no peer runs any.
    #[error("no test can be run with --local-jobs=0: {0}")]
    Nowhere(String),
    /// The actors could not do their work.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Error {
    /// 2 for what the user can mend on the command line, else 5.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Report(_) | Self::Nowhere(_) => 2,
            Self::Program(_) | Self::Descriptors(..) | Self::Run(_) => 5,
        }
    }
}

/// What is to be run, and how.
pub struct Run<'a> {
    /// What the run is about to do.
    pub header: RunHeader,
    /// Whether that is printed: of several rounds, the first one's is.
    pub shows_header: bool,
    /// The tree.
    pub tree: &'a Arc<Products>,
    /// Its tests, or some of them.
    pub cases: Arc<dyn Cases>,
    /// Its root.
    pub root: &'a Path,
    /// The options ...
    pub settings: &'a Settings,
    /// ... and those for one run.
    pub control: &'a Control,
    /// What V8's runner calls special runs.
    pub special: &'a Special,
    /// Each command is printed.
    pub verbose: bool,
    /// Where to keep the files that are put together for tests.
    pub kept: Option<PathBuf>,
    /// Where to write how many tests of test262 passed.
    pub conformance: Option<&'a Path>,
    /// Where this machine's identity is kept, if that was said.
    pub home: Option<PathBuf>,
    /// How long it may go on.
    pub total_timeout: Option<Duration>,
    /// What is known of earlier runs, and will be of this one.
    pub history: Option<History>,
    /// The part of the tests that it is for.
    pub shard: Option<Shard>,
    /// As which of V8's runners.
    pub framework: Framework,
}

/// Runs the tests, here and on peers. Returns the exit code.
///
/// # Errors
/// [`Error`] when no test could be run, or the run broke off.
pub fn run(run: Run<'_>) -> Result<u8, Error> {
    let Run { tree, cases, root, settings, control, special, verbose, kept, conformance, home, .. } = run;
    let (total_timeout, history) = (run.total_timeout, run.history);
    let program = std::env::current_exe().map_err(Error::Program)?.into_os_string();
    let builtin = vec![program.clone(), "shell".into()];
    let told = if tree.repeats().is_several() { Told::repeated() } else { Told::default() };
    let again = again(&program, root, settings);
    let shard = run.shard.map_or((0, 1), Shard::id_and_count);
    let framework = run.framework.as_str();
    let context =
        Context { root: root.to_owned(), builtin: builtin.clone(), told, kept, again, shard, framework };
    // Of test262 no engine passes all, and how many it passes is what one wants to know.
    let max_failures = if tree.is_bare_test262() { 0 } else { MAX_FAILURES };
    let jobs = match settings.local_jobs {
        Some(0) => 0,
        local => affordable(jobs(local.or(settings.jobs)))?.get(),
    };
    actix_rt::System::new().block_on(async {
        let mut network = Network::look(&Request { home, settings, tree, root, jobs }).await;
        if let Some(why) = &network.why_not {
            if jobs == 0 {
                return Err(Error::Nowhere(why.clone()));
            }
            notice!("runner: all tests run on this machine: {why}");
        }
        if let Some(history) = history.as_ref().filter(|_| network.has_daemon()) {
            history.tell();
            network.learn(&history.known(), history.configuration()).await;
        }
        let exit_after_failures = NonZeroU64::new(settings.exit_after_n_failures.unwrap_or(max_failures));
        let options = RunOptions {
            root: root.to_owned(),
            jobs,
            builtin,
            env: crate::runner::environment::of_tests(),
            output_cap: settings.max_output.unwrap_or(RunOptions::OUTPUT_CAP),
            memory: settings.json_test_results.is_some(),
            max_heavy: settings.max_heavy_tests.map_or(1, NonZeroUsize::get),
            exit_after_failures,
            keep_passing_output: false,
            confirm_failures: match settings.confirm_failures {
                None | Some(Confirm::Auto) => ConfirmFailures::Auto,
                Some(Confirm::All) => ConfirmFailures::All,
                Some(Confirm::Off) => ConfirmFailures::Off,
            },
            reruns: Reruns {
                count: settings.rerun_failures_count.unwrap_or_default(),
                most_tests: settings.rerun_failures_max.unwrap_or(MAX_RERUN),
            },
            flaky_fails: match settings.flaky {
                Some(flaky) => flaky == Flaky::Fail,
                None => tree.flaky_fails(),
            },
            total_timeout,
            unsorted: settings.no_sorting,
            explain: settings.explain,
            history: history.as_ref().map(History::known),
            reaper: Some(vec![program, crate::runner::REAPER.into()]),
            peers: network.peers.clone(),
            unusable_peers: std::mem::take(&mut network.unusable),
            header: run.header,
        };
        let mut reporters = reporters::of_header(run.shows_header);
        reporters.extend(reporters::reporters(settings, control, verbose, &context, Arc::clone(&cases))?);
        reporters.extend(reporters::of_logs(settings, control, tree.writes_logs())?);
        reporters.extend(reporters::of_special_runs(special, tree.repeats(), &context));
        reporters.extend(reporters::of_test262(tree, root, conformance)?);
        // The last one: what people wait for comes first.
        reporters.extend(history.as_ref().map(History::recorder));
        let result = drive(options, cases, reporters, StopSource::Signals).await;
        let kept = history.map(|history| (history.configuration().to_owned(), history.close().durations));
        network.close(kept).await;
        if result.is_err() {
            // Actors that were created and never began would begin when the system is taken apart, and panic.
            actix_rt::task::yield_now().await;
        }
        Ok(result?.exit_code())
    })
}

/// The words that run tests of this tree again, with the same engine.
fn again(program: &OsStr, root: &Path, settings: &Settings) -> Vec<OsString> {
    let mut words = vec![program.to_owned(), "--root".into(), root.into()];
    for (option, value) in [("--shell", &settings.shell), ("--host", &settings.host)] {
        if let Some(value) = value {
            words.extend([option.into(), value.into()]);
        }
    }
    words.extend(settings.extra_flags.iter().map(|flags| format!("--extra-flags={flags}").into()));
    words
}

/// `-j`, where 0 and nothing mean the number of processors.
fn jobs(given: Option<usize>) -> NonZeroUsize {
    given
        .and_then(NonZeroUsize::new)
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

/// Descriptors one job may need at a time, and the rest of the process.
const DESCRIPTORS: (u64, u64) = (10, 64);

/// As many jobs as there are descriptors for. A soft limit that is too low is raised, which the tests inherit; where
/// the hard one is too low there are fewer jobs, and a warning says so.
fn affordable(jobs: NonZeroUsize) -> Result<NonZeroUsize, Error> {
    let (a_job, fixed) = DESCRIPTORS;
    let needed = fixed.saturating_add(a_job.saturating_mul(jobs.get() as u64));
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(jobs);
    }
    let wanted = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_ok();
    let available = if raised { wanted } else { limit.current.unwrap_or(needed) };
    let affordable = usize::try_from(available.saturating_sub(fixed) / a_job).unwrap_or(usize::MAX);
    if affordable >= jobs.get() {
        return Ok(jobs);
    }
    let fewer = NonZeroUsize::new(affordable).ok_or(Error::Descriptors(available, fixed + a_job))?;
    notice!(
        "runner: warning: {available} open files (ulimit -n) are too few for {jobs} tests at once: running {fewer}"
    );
    Ok(fewer)
}
