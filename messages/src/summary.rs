//! How far a run is, and how it went.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::case::TestName;
use crate::outcome::Outcome;
use crate::placement::Place;

/// Why a run ends before its last test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// SIGINT, Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// `--exit-after-n-failures` was reached.
    TooManyFailures,
    /// `--total-timeout-sec` has passed.
    TotalTimeout,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// As expected, if need be when run again.
    pub expected: u64,
    /// Of the expected: those that had failed before.
    pub flaky: u64,
    /// Unexpected, whatever the outcome.
    pub unexpected: u64,
    /// Of the unexpected: crashed.
    pub crashed: u64,
    /// Of the unexpected: timed out.
    pub timed_out: u64,
    /// Of the unexpected: those where a rule may hold that was not understood.
    pub doubtful: u64,
}

impl Counts {
    /// All tests that have a verdict.
    pub fn finished(&self) -> u64 {
        self.expected + self.unexpected
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStats {
    /// Tests known so far.
    pub listed: u64,
    /// Whether listing has ended, so that `listed` is the number of all tests.
    pub listing_complete: bool,
    /// Tests whose process runs now.
    pub running: u64,
    /// Tests by verdict.
    pub counts: Counts,
}

impl RunStats {
    /// The share of the known tests that have a verdict, in percent, rounded down; 0 while none is known.
    pub fn percent(&self) -> u64 {
        let finished = self.counts.finished();
        (finished * 100).checked_div(self.listed.max(finished)).unwrap_or(0)
    }
}

/// A run at one moment, for displays that are drawn again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStatus {
    /// The moment, by this machine's clock.
    pub at: SystemTime,
    /// The moment, since the run's start.
    pub elapsed: Duration,
    /// How far the run is.
    pub stats: RunStats,
    /// The tests that run, in the order of their ids.
    pub running: Vec<RunningTest>,
}

/// A test whose process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningTest {
    /// Its names.
    pub name: TestName,
    /// When it was started, since the run's start.
    pub since: Duration,
}

/// How the whole run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Tests by verdict.
    pub counts: Counts,
    /// Tests that were listed but have no verdict, because the run ended early.
    pub not_run: u64,
    /// Whether listing had ended, so that `not_run` is all there was.
    pub listing_complete: bool,
    /// Why the run ended early, if it did.
    pub stopped: Option<StopReason>,
    /// From the run's start to its last verdict.
    pub elapsed: Duration,
    /// Whether a flaky test makes the run fail (`--flaky fail`).
    pub flaky_fails: bool,
}

impl Summary {
    /// The process exit code, V8's: a function of outcomes and signals only.
    ///
    /// 0 all as expected, 1 unexpected outcomes (or flaky ones, if these are to count), 2 no tests, 3 interrupted, 4
    /// terminated. A run that ends early for another reason is judged by the tests that ran.
    pub fn exit_code(&self) -> u8 {
        match self.stopped {
            Some(StopReason::Interrupted) => 3,
            Some(StopReason::Terminated) => 4,
            _ if self.counts.unexpected > 0 => 1,
            _ if self.flaky_fails && self.counts.flaky > 0 => 1,
            _ if self.counts.finished() == 0 => 2,
            _ => 0,
        }
    }
}

/// The end of a run, with what its last lines name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// How it went.
    pub summary: Summary,
    /// The tests that were flaky, in the order of their verdicts.
    pub flaky: Vec<FlakyTest>,
    /// What became of each peer, by the name people know it by.
    pub peers: BTreeMap<String, PeerShare>,
}

impl RunEnd {
    /// The end of a run without flaky tests and peers.
    pub fn of(summary: Summary) -> Self {
        Self { summary, flaky: Vec::new(), peers: BTreeMap::new() }
    }
}

/// A test that failed, and was as expected when it was run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlakyTest {
    /// Its names.
    pub name: TestName,
    /// The outcome of each attempt that counts, and where it ran; in order.
    pub attempts: Vec<(Outcome, Place)>,
}

/// What a peer did in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerShare {
    /// Tests with a verdict that ran there.
    pub tests: u64,
    /// Whether it was asked to join: a short run ends before that.
    pub asked: bool,
    /// It took part, after it was sent this many bytes of inputs.
    pub sent: Option<u64>,
    /// Why it takes no part, or no more; reads well after "NAME was not used: ".
    pub out: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(expected: u64, unexpected: u64, stopped: Option<StopReason>) -> Summary {
        Summary {
            counts: Counts { expected, unexpected, ..Counts::default() },
            not_run: 0,
            listing_complete: true,
            stopped,
            elapsed: Duration::ZERO,
            flaky_fails: false,
        }
    }

    #[test]
    fn exit_codes_are_v8s() {
        assert_eq!(summary(3, 0, None).exit_code(), 0);
        assert_eq!(summary(3, 1, None).exit_code(), 1);
        assert_eq!(summary(0, 0, None).exit_code(), 2);
        assert_eq!(summary(3, 1, Some(StopReason::Interrupted)).exit_code(), 3);
        assert_eq!(summary(0, 0, Some(StopReason::Terminated)).exit_code(), 4);
        assert_eq!(summary(3, 100, Some(StopReason::TooManyFailures)).exit_code(), 1);
        for (unexpected, code) in [(0, 0), (1, 1)] {
            assert_eq!(summary(3, unexpected, Some(StopReason::TotalTimeout)).exit_code(), code);
        }
        let mut flaky = summary(3, 0, None);
        flaky.counts.flaky = 1;
        assert_eq!(flaky.exit_code(), 0);
        flaky.flaky_fails = true;
        assert_eq!(flaky.exit_code(), 1);
    }
}
