//! What the aggregator is sent.

use actix::Message;
use flotilla_messages::{CaseId, EventKind, Place, Times};

use crate::execution::executor::LeaseResult;

/// One attempt at a test that ended with an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The outcome and what it rests on.
    pub ending: LeaseResult,
    /// Where the test ran.
    pub place: Place,
    /// The attempt's number for this test, from 1.
    pub attempt: u32,
    /// Where its time went besides the run.
    pub times: Times,
}

impl Attempt {
    /// Whether the outcome is as the status files expect.
    pub fn as_expected(&self) -> bool {
        self.ending.as_expected() == Some(true)
    }
}

/// What the aggregator is sent: events that it passes on, and what it makes events of.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum AggregatorMsg {
    /// For the reporters as it is.
    Event(EventKind),
    /// An attempt was unexpected, and the test will be run again: no verdict.
    Again {
        /// The test's number.
        test: CaseId,
        /// The unexpected attempt.
        tried: Attempt,
    },
    /// A test has its verdict. One for each test: the scheduler sees to that.
    Verdict {
        /// The test's number.
        test: CaseId,
        /// The attempt that counts.
        tried: Attempt,
        /// The unexpected attempts before it, if the test was run again.
        earlier: Vec<Attempt>,
        /// The peer where the test ended unexpectedly, while here it did not.
        differs_on: Option<String>,
    },
    /// Nothing runs and nothing will. Comes once, last.
    Over {
        /// Tests without a verdict.
        not_run: u64,
        /// Whether all tests had been found.
        all_found: bool,
    },
}

impl AggregatorMsg {
    /// Something a person should know.
    pub fn notice(text: String) -> Self {
        Self::Event(EventKind::Notice(text))
    }
}
