//! The messages between a scheduler and an executor. The local pool and a peer use the same ones.
//!
//! An executor is registered with [`Join`](crate::run::scheduler::Join), gets [`Order`]s and answers with [`ExecutorEvent`].
//! Every lease it was assigned is answered by exactly one [`ExecutorEventKind::Finished`], unless the executor is lost.

use std::time::Duration;

use actix::Message;
use flotilla_messages::port::work::JudgedRun;
use flotilla_messages::{CaseId, Judgement, Outcome, Output, TestCase, TestName, Unrunnable};

/// An executor's number within one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutorId(pub u32);

/// A lease's number within one run; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// Permission to run one test once; answered by exactly one `Finished`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its number.
    pub id: LeaseId,
    /// Which test.
    pub test: CaseId,
    /// Which attempt at this test it is, from 1.
    pub attempt: u32,
}

/// What a scheduler orders an executor to do.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Order {
    /// Run these, in this order; never more in all than the executor gave credit for. An executor of a run knows where
    /// the run's cases come from.
    Assign(Vec<Lease>),
    /// Do not start these, and end those that run. They are answered with
    /// [`LeaseResult::Withdrawn`], or with their result if that came first.
    Withdraw(Vec<LeaseId>),
    /// Withdraws all leases, and those that may still come. A peer that is given up in the middle of a run gets it too:
    /// its later messages are ignored.
    Stop {
        /// SIGKILL at once, instead of SIGTERM with a grace first.
        kill: bool,
    },
}

/// What an executor tells the scheduler.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ExecutorEvent {
    /// Who speaks.
    pub executor: ExecutorId,
    /// What happened.
    pub kind: ExecutorEventKind,
}

/// What happened at an executor.
#[derive(Debug)]
pub enum ExecutorEventKind {
    /// From now on this many leases may be out at a time. Those beyond are withdrawn, as far as they were not begun.
    Ready {
        /// Jobs at a time, and the queue ahead of them.
        credit: usize,
    },
    /// A test's process is about to be started.
    Started {
        /// Under which lease.
        lease: LeaseId,
        /// The test's names.
        name: TestName,
    },
    /// How long a lease has waited at a peer, from its arrival there to its process's start: what the peer says. Comes
    /// before [`ExecutorEventKind::Finished`], if at all; of other executors the scheduler sees it itself.
    Queued {
        /// The lease's number in the run.
        lease: LeaseId,
        /// This long.
        queued: Duration,
    },
    /// A lease has ended.
    Finished {
        /// The lease's number in the run.
        lease: LeaseId,
        /// How the lease ended.
        ending: LeaseResult,
    },
    /// It has been silent for some seconds, and may come back. Until then it gets no leases, and other executors may run
    /// those it has.
    Suspected,
    /// It is not silent any more.
    Recovered,
    /// The executor is lost, with all leases that it had not answered.
    Lost {
        /// Why, for people.
        reason: String,
    },
}

/// How a lease ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseResult {
    /// The process ran to its end and was judged.
    Judged(Box<Judged>),
    /// There is nothing to judge, and that is the test's verdict.
    Failed(Box<Failed>),
    /// No verdict: the lease was withdrawn, or the run is being stopped.
    Withdrawn,
    /// No verdict: this machine cannot run the test, for reasons of its own (full disk, no memory, a program of another
    /// format). Another one is to try; an executor that says so again and again gets nothing more.
    Unable {
        /// Why, for people.
        reason: String,
    },
}

impl LeaseResult {
    /// Whether this is a verdict, and as the status files expect. `None`: no verdict.
    pub fn as_expected(&self) -> Option<bool> {
        match self {
            Self::Judged(judged) => Some(judged.case.expectation.allows(judged.run.judgement.outcome)),
            Self::Failed(_) => Some(false),
            Self::Withdrawn | Self::Unable { .. } => None,
        }
    }
}

/// A test that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What ran.
    pub case: TestCase,
    /// What it did and what that means: all that a peer sends of it.
    pub run: JudgedRun,
}

/// A test without output to judge: it cannot be run, its expected file is missing, its program does not start,
/// something in Flotilla broke. Never as expected, whatever the status files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The names for people.
    pub name: TestName,
    /// The stable identity, as [`TestCase::id`].
    pub id: String,
    /// The case, if one could be made.
    pub case: Option<TestCase>,
    /// FAIL, or CRASH for a test that took executors down.
    pub outcome: Outcome,
    /// What stood in the way.
    pub reason: String,
}

impl Judged {
    /// A test whose output was not compared with an expected file.
    pub fn of(case: TestCase, output: Output, judgement: Judgement) -> Self {
        Self { case, run: JudgedRun { output, judgement, difference: None } }
    }
}

impl Failed {
    /// The failure of a test whose case is known.
    pub fn of(case: TestCase, reason: String) -> Self {
        Self {
            name: case.name.clone(),
            id: case.id.clone(),
            case: Some(case),
            outcome: Outcome::Fail,
            reason,
        }
    }

    /// The failure of a test whose case cannot be made.
    pub fn unrunnable(unrunnable: Unrunnable) -> Self {
        let reason = format!("cannot run the test: {unrunnable}");
        let Unrunnable { name, id, .. } = unrunnable;
        Self { name, id, case: None, outcome: Outcome::Fail, reason }
    }

    /// The failure of a test of which nothing but its number is known.
    pub fn nameless(test: CaseId, reason: String) -> Self {
        let name = TestName {
            suite: "unknown".into(),
            name: format!("test-{}", test.0),
            variant: "unknown".into(),
            detail: None,
        };
        Self { id: name.path(), name, case: None, outcome: Outcome::Fail, reason }
    }
}
