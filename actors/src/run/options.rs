//! What a run is told, and how it fails.

use std::ffi::OsString;
use std::io;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flotilla_messages::packet::Engine;
use flotilla_messages::{Fingerprint, RunHeader};

use crate::content::inputs::Selection;
use crate::net::link::Timing;
use crate::run::daemon_client::DaemonSession;
use crate::run::history::DurationEstimates;
use crate::run::proxy::Target;
use crate::trust::identity::Identity;

use crate::run::scheduler::{ConfirmFailures, Reruns};

/// How to run tests on this machine.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The tree's root: an absolute path; commands run in it.
    pub root: PathBuf,
    /// Tests at a time on this machine; 0: all run on peers.
    pub jobs: usize,
    /// The command of the built-in shell, to which the test's arguments are appended; its program is an absolute path.
    pub builtin: Vec<OsString>,
    /// The environment of the tests; nothing else is passed on.
    pub env: Vec<(OsString, OsString)>,
    /// How many bytes of each stream are kept; the rest is counted only.
    pub output_cap: usize,
    /// Note what tests take of memory ([`Output::memory`](flotilla_messages::Output::memory)).
    pub memory: bool,
    /// HEAVY tests at a time; 0 counts as 1.
    pub max_heavy: usize,
    /// Stop after this many unexpected outcomes, and flaky tests if these make the run fail.
    pub exit_after_failures: Option<NonZeroU64>,
    /// Keep what tests printed that ended as expected.
    pub keep_passing_output: bool,
    /// Which unexpected results of peers are confirmed on this machine before they count.
    pub confirm_failures: ConfirmFailures,
    /// Which tests with unexpected outcomes are run again.
    pub reruns: Reruns,
    /// A flaky test makes the run fail.
    pub flaky_fails: bool,
    /// The run ends after this long; tests that run then have no verdict.
    pub total_timeout: Option<Duration>,
    /// Tests are started in the order in which they are found, not the longest first.
    pub unsorted: bool,
    /// Tell of each placement, as [`EventKind::Placed`](flotilla_messages::EventKind::Placed).
    pub explain: bool,
    /// What is known of the tests' durations.
    pub history: Option<DurationEstimates>,
    /// The command that starts the [reaper](crate::execution::reaper); the run's id is appended. Without one, a SIGKILL of
    /// this process leaves its tests behind.
    pub reaper: Option<Vec<OsString>>,
    /// Peers that may run tests as well.
    pub peers: Option<PeersOptions>,
    /// Peers that are known and cannot be used, by name, each with the reason: only for the reports.
    pub unusable_peers: Vec<(String, String)>,
    /// What the reports say first.
    pub header: RunHeader,
}

/// How to run tests on peers.
#[derive(Clone, Debug)]
pub struct PeersOptions {
    /// Who asks them.
    pub identity: Arc<Identity>,
    /// Whom to ask.
    pub peers: Vec<Target>,
    /// The keys that may answer where no particular one is expected.
    pub trusted: Vec<Fingerprint>,
    /// They are brought in when the run has lasted this long and is not over.
    pub after: Duration,
    /// The files that the tests need.
    pub inputs: Selection,
    /// Where the digests of files are kept from run to run.
    pub cache: PathBuf,
    /// What the tests' engine needs of a machine.
    pub engine: Engine,
    /// Variables that tests are to see there.
    pub env: Vec<(String, String)>,
    /// How long links wait.
    pub timing: Timing,
    /// The own daemon, if there is one. It is told how fast peers are and which do not answer, and tells which are not
    /// trusted any more; without it, that is as it was when the run began.
    pub daemon: Option<DaemonSession>,
}

impl RunOptions {
    /// The bytes kept of each stream unless something else is asked for: 1 MiB.
    pub const OUTPUT_CAP: usize = 1 << 20;
}

/// Why a run has no summary.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Something it needs from the system is not to be had.
    #[error("cannot {what}: {source}")]
    Prepare {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// No jobs on this machine, and no peers.
    #[error("no tests are to run on this machine, and there are no peers")]
    Nowhere,
    /// A part that lives as long as the run has died.
    #[error("internal error: the {0} has ended unexpectedly")]
    Died(&'static str),
    /// A part of it cannot go on.
    #[error("the run broke off: {0}")]
    Broken(String),
}
