//! What the scheduler hears, and what it does about it.

use actix::Message;
use flotilla_messages::{CaseId, Entry, EventKind, Place, StopReason, TestCase, Unrunnable};

use crate::execution::executor::{ExecutorEvent, ExecutorId, Lease, LeaseId};
use crate::run::aggregator::AggregatorMsg;

/// The case of a test, or why there is none; `None` if the reason is unknown.
pub type ReadCase = Result<Box<TestCase>, Option<Box<Unrunnable>>>;

/// The answer to [`Effect::ReadCase`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CaseRead {
    /// The test's number.
    pub test: CaseId,
    /// What was read.
    pub case: ReadCase,
}

/// What the scheduler hears.
#[derive(Debug)]
pub enum Input {
    /// These tests were found.
    Found(Vec<Entry>),
    /// There are no more.
    AllFound,
    /// An executor offers itself.
    Joined {
        /// Its number, not used before.
        executor: ExecutorId,
        /// Where it runs tests.
        place: Place,
        /// How many leases it takes at a time.
        credit: usize,
        /// How many of these may be HEAVY; 0 counts as 1.
        max_heavy: usize,
    },
    /// How fast an executor that has joined was in earlier runs.
    Rated {
        /// Which.
        executor: ExecutorId,
        /// Tests it finished in the time in which one job slot of this machine finished 1000.
        permille: u32,
    },
    /// An executor reports.
    Executor(ExecutorEvent),
    /// The case of a test was read whose verdict waits for that.
    CaseRead(CaseRead),
    /// Time has passed. Wanted about ten times a second while there is more than one executor.
    Tick,
    /// Nothing more is to be started, and what runs is to be ended. A second one may be more urgent.
    Stop {
        /// Why, unless the run is being given up.
        reason: Option<StopReason>,
        /// At once.
        kill: bool,
    },
}

/// What the scheduler has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// These leases go to this executor.
    Assign {
        /// Which executor.
        executor: ExecutorId,
        /// In the order to start them.
        leases: Vec<Lease>,
    },
    /// These leases are of no interest any more.
    Withdraw {
        /// Whose.
        executor: ExecutorId,
        /// In no order.
        leases: Vec<LeaseId>,
    },
    /// This executor is to end everything.
    StopExecutor {
        /// Which.
        executor: ExecutorId,
        /// At once.
        kill: bool,
    },
    /// For the aggregator: events, attempts, verdicts, and last [`AggregatorMsg::Over`].
    Tell(AggregatorMsg),
    /// Read the case of this test, and answer with [`Input::CaseRead`].
    ReadCase(CaseId),
    /// Tests are left and no executor is.
    Stuck {
        /// What happened to the last one.
        reason: String,
    },
}

#[cfg(test)]
impl Input {
    pub(super) fn news(executor: ExecutorId, what: crate::execution::executor::ExecutorEventKind) -> Self {
        Self::Executor(ExecutorEvent { executor, kind: what })
    }
}

impl Effect {
    /// An event for the reporters.
    pub(super) fn event(event: EventKind) -> Self {
        Self::Tell(AggregatorMsg::Event(event))
    }

    /// Something a person should know.
    pub(super) fn notice(text: String) -> Self {
        Self::Tell(AggregatorMsg::notice(text))
    }
}
