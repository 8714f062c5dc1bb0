//! What a run wants of its scheduler, and what is known from earlier runs.

use std::num::NonZeroU64;
use std::time::Duration;

/// Which unexpected results of peers are confirmed on this machine before they count (`--confirm-failures`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfirmFailures {
    /// Until [`AUTO_CONFIRMED`] were confirmed; then those only of peers that were found to differ.
    #[default]
    Auto,
    /// All of them.
    All,
    /// None: peers are believed.
    Off,
}

/// This many failures are confirmed unless something else is asked for: enough to notice a peer that is different, and few
/// enough that a broken engine does not fail here once more in everything.
pub const AUTO_CONFIRMED: u32 = 20;

impl ConfirmFailures {
    /// Whether one more is to be confirmed after this many.
    pub(super) fn one_more(self, confirmed: u32) -> bool {
        match self {
            Self::Auto => confirmed < AUTO_CONFIRMED,
            Self::All => true,
            Self::Off => false,
        }
    }
}

/// Which tests with unexpected outcomes are run again, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reruns {
    /// Attempts after the first one that counts, until one is as expected (`--rerun-failures-count`); 0: none.
    pub count: u32,
    /// If more tests than this were unexpected at first, none is run again any more, and those that waited for it have
    /// failed (`--rerun-failures-max`): the engine is broken, not its tests.
    pub most_tests: u64,
}

/// When a run has failed often enough to end early (`--exit-after-n-failures`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureLimit {
    /// The run stops at this many failures: unexpected verdicts, and flaky ones if these count. Tests that may be run
    /// again and decide it come first then. None: no limit.
    pub failures: Option<NonZeroU64>,
    /// A flaky test is a failure.
    pub flaky_counts: bool,
}

/// How long tests took in earlier runs.
pub trait History {
    /// What the test with this [`history_key`](flotilla_messages::Entry::history_key) is expected to take. Asked once
    /// for each test when it is found, on the scheduler's thread: it must not wait for a disk.
    fn expected(&self, history_key: u64) -> Option<Duration>;
}

/// Nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn expected(&self, _: u64) -> Option<Duration> {
        None
    }
}
