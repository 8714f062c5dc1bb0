//! The messages between a scheduler and an executor. The local pool and a peer use the same ones.
//!
//! An executor is registered with [`Join`](crate::run::scheduler::Join), receives [`Order`]s and answers with
//! [`ExecutorEvent`].
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
    /// The lease's number in the run.
    pub id: LeaseId,
    /// The test to run.
    pub test: CaseId,
    /// The number of this attempt at the test, from 1.
    pub attempt: u32,
}

/// An order from the scheduler to an executor.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Order {
    /// Run these, in this order; the total never exceeds the executor's credit. An executor of a run knows where
    /// the run's cases come from.
    Assign(Vec<Lease>),
    /// Do not start these, and end those that are running. They are answered with
    /// [`LeaseResult::Withdrawn`], or with their result if that came first.
    Withdraw(Vec<LeaseId>),
    /// Withdraws all leases, including any that still arrive. Also sent to a peer that is given up during a run, whose
    /// later messages are ignored.
    Stop {
        /// Send SIGKILL at once, instead of SIGTERM and a grace period first.
        kill: bool,
    },
}

/// A message from an executor to the scheduler.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ExecutorEvent {
    /// The executor that sends it.
    pub executor: ExecutorId,
    /// What happened.
    pub kind: ExecutorEventKind,
}

/// What happened at an executor.
#[derive(Debug)]
pub enum ExecutorEventKind {
    /// From now on this many leases may be assigned at a time. Leases beyond that are withdrawn unless already begun.
    Ready {
        /// The number of jobs plus the queue ahead of them.
        credit: usize,
    },
    /// A test's process is about to be started.
    Started {
        /// The lease that it runs under.
        lease: LeaseId,
        /// The test's names.
        name: TestName,
    },
    /// How long a lease waited at a peer, from its arrival there to the start of its process, as reported by the peer.
    /// Comes before [`ExecutorEventKind::Finished`], if at all; for other executors the scheduler measures it itself.
    Queued {
        /// The lease's number in the run.
        lease: LeaseId,
        /// The time that the lease waited.
        queued: Duration,
    },
    /// A lease has ended.
    Finished {
        /// The lease's number in the run.
        lease: LeaseId,
        /// How the lease ended.
        ending: LeaseResult,
    },
    /// The executor has been silent for some seconds and may recover. Until then it gets no leases, and other executors
    /// may run those that it has.
    Suspected,
    /// The executor is no longer silent.
    Recovered,
    /// The executor is lost, with all leases that it has not answered.
    Lost {
        /// The reason, for display.
        reason: String,
    },
}

/// How a lease ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseResult {
    /// The process ran to its end and was judged.
    Judged(Box<Judged>),
    /// There is no output to judge; that is the test's verdict.
    Failed(Box<Failed>),
    /// No verdict: the lease was withdrawn, or the run is being stopped.
    Withdrawn,
    /// No verdict: this machine cannot run the test for reasons of its own (full disk, no memory, a program in another
    /// format). Another executor should try; one that answers so repeatedly gets no more leases.
    Unable {
        /// The reason, for display.
        reason: String,
    },
}

impl LeaseResult {
    /// Whether the verdict is as the status files expect; `None` if there is no verdict.
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
    /// The case that ran.
    pub case: TestCase,
    /// What the process did and the verdict on it: all that a peer sends about the test.
    pub run: JudgedRun,
}

/// A test without output to judge: it cannot be run, its expected file is missing, its program does not start, or
/// something in Flotilla broke. Never expected, whatever the status files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The test's names, for display.
    pub name: TestName,
    /// The stable identity, as [`TestCase::id`].
    pub id: String,
    /// The case, if one could be made.
    pub case: Option<TestCase>,
    /// FAIL, or CRASH for a test that took executors down.
    pub outcome: Outcome,
    /// Why there is no output to judge.
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

    /// The failure of a test of which only the number is known.
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
