//! One typed event feeds every reporter: progress, JSON, JUnit and whatever comes later.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::case::{CaseId, TestCase, TestName};
use crate::header::RunHeader;
use crate::outcome::{Outcome, Output};
use crate::placement::{Place, Placement};
use crate::summary::{RunEnd, RunStats, StopReason};

/// Something happened in a run: when, and how far the run was then. Time, counts and exit code are the aggregator's;
/// reporters only show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by this machine's clock, which may be set while the run goes on.
    pub at: SystemTime,
    /// When, since the run's start, by a clock that nobody sets.
    pub elapsed: Duration,
    /// How far the run is, this event included.
    pub stats: RunStats,
    /// What happened.
    pub kind: EventKind,
}

/// What happened in a run. Events come in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The first event: what the run is about to do.
    RunStarted(Box<RunHeader>),
    /// More tests are known. `complete` comes once, with the final number.
    Listed {
        /// How many tests are known so far.
        tests: u64,
        /// Whether listing has ended.
        complete: bool,
    },
    /// A test's process is about to be started.
    Started {
        /// Which test.
        test: CaseId,
        /// Its names.
        name: TestName,
    },
    /// A test has its verdict. Exactly one for each test that was started or found unrunnable, but for those that
    /// were ended because the run stops: they count as not run.
    Finished(Box<TestReport>),
    /// An attempt at a test was unexpected, and the test is to be run again: no verdict yet. The report is that of the
    /// attempt.
    Again(Box<TestReport>),
    /// The run ends early for this reason; tests not started will not be.
    Stopping(StopReason),
    /// Inputs are on their way to a peer that is not ready yet. At most once a second for each; the last one of a peer has
    /// as much sent as there is in total.
    Sending {
        /// The peer, by the name people know it by.
        peer: String,
        /// Bytes handed on so far, as they are in the files.
        sent: u64,
        /// Bytes it has asked for so far.
        total: u64,
    },
    /// Something a person should know that is no test's verdict.
    Notice(String),
    /// A test was given to an executor. Only if the run is to explain itself.
    Placed(Box<Placement>),
    /// A peer takes part, or does not. What is to be said of it at once comes as a notice, too.
    Peer(PeerNews),
    /// The last event.
    RunFinished(Box<RunEnd>),
}

/// What became of a peer that a run was to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerNews {
    /// The name people know it by, as in [`Place::Peer`].
    pub peer: String,
    /// What became of it.
    pub part: PeerPart,
}

/// What has become of a peer in the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerPart {
    /// It is asked to.
    Asked,
    /// It runs tests from now on.
    Joined {
        /// Bytes of inputs it was sent before.
        sent: u64,
    },
    /// It runs none, or no more.
    Out {
        /// Why; reads well after "NAME was not used: ".
        reason: String,
    },
}

/// Where the time between a test's lease and its verdict went, apart from the process's own ([`TestReport::duration`]).
/// The three add up to that time where a peer ran the test; here, judging and passing on are in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// At the executor: from the lease to the process's start. On a peer, from the lease's arrival there, by the peer's
    /// own clock, and never more than the whole. Zero if no process was started.
    pub queued: Duration,
    /// What is left where a peer ran the test: both ways over the link, waiting for others in a batch, judging. Zero for
    /// tests of this machine.
    pub transfer: Duration,
}

impl Times {
    /// Of a test that a peer answered `total` after it was leased: it waited for `queued`, as the peer says, and its
    /// process took `run`. A peer that says more than can be is cut to what can.
    pub fn remote(total: Duration, queued: Duration, run: Duration) -> Self {
        let queued = queued.min(total.saturating_sub(run));
        Self { queued, transfer: total.saturating_sub(run).saturating_sub(queued) }
    }
}

/// The verdict on one test, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Which test.
    pub test: CaseId,
    /// Its names.
    pub name: TestName,
    /// The stable identity.
    pub id: String,
    /// What it amounts to.
    pub outcome: Outcome,
    /// Whether that is as expected.
    pub as_expected: bool,
    /// The judge's explanation, or what made the test unrunnable.
    pub why: Option<String>,
    /// How the output differs from the expected file, as a unified diff, if it was compared with one and the outcome is
    /// unexpected.
    pub difference: Option<String>,
    /// The case, absent if there was none to be had.
    pub case: Option<TestCase>,
    /// What the process did, absent if none was started. Passing tests' texts may have been dropped.
    pub output: Option<Output>,
    /// Where it ran.
    pub place: Place,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// Where its time went besides the run.
    pub times: Times,
    /// The peer where it had ended unexpectedly, while here, where it was tried again, it did not.
    pub differs_on: Option<String>,
    /// The attempts before this one that counted and were unexpected, in order; these have none of their own. Not among
    /// them: what a peer said and this machine was to confirm.
    pub earlier: Vec<TestReport>,
}

impl TestReport {
    /// How long the process ran; zero if none did.
    pub fn duration(&self) -> Duration {
        self.output.as_ref().map_or(Duration::ZERO, |output| output.duration)
    }

    /// It failed, and when it was run again in the same run it was as expected.
    pub fn flaky(&self) -> bool {
        self.as_expected && !self.earlier.is_empty()
    }

    /// All attempts that count, this one last.
    pub fn attempts(&self) -> impl Iterator<Item = &Self> {
        self.earlier.iter().chain(std::iter::once(self))
    }

    /// Why an unexpected outcome is doubtful, if it is: a rule may hold that was not understood.
    pub fn doubt(&self) -> Option<&str> {
        let case = self.case.as_ref().filter(|_| !self.as_expected)?;
        case.expectation.doubt.as_deref()
    }

    /// A test expected only to fail that passed.
    pub fn unexpected_pass(&self) -> bool {
        !self.as_expected && self.outcome == Outcome::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_of_its_queue_never_exceeds_what_was_seen() {
        let ms = Duration::from_millis;
        assert_eq!(Times::remote(ms(100), ms(20), ms(50)), Times { queued: ms(20), transfer: ms(30) });
        assert_eq!(Times::remote(ms(100), ms(9000), ms(50)), Times { queued: ms(50), transfer: ms(0) });
        assert_eq!(Times::remote(ms(100), ms(20), ms(9000)), Times::default());
    }
}
