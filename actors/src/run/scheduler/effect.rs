//! What the scheduler hears, and what it does about it.

use std::time::Duration;

use flotilla_messages::{CaseId, Entry, Place, Placement, StopReason, TestName, Times};

use crate::execution::executor::{ExecutorId, Lease, LeaseId, LeaseResult};

/// One attempt at a test, with how it ended: with a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended.
    pub ending: LeaseResult,
    /// Where.
    pub place: Place,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// Where its time went besides the run.
    pub times: Times,
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
    /// An executor takes this many leases at a time from now on.
    Ready {
        /// Which.
        executor: ExecutorId,
        /// How many.
        credit: usize,
    },
    /// A test's process is about to be started.
    Started {
        /// Who says so.
        executor: ExecutorId,
        /// Its lease.
        lease: LeaseId,
        /// Its names.
        name: TestName,
    },
    /// How long a lease has waited at its executor, as that says.
    Queued {
        /// Who says so.
        executor: ExecutorId,
        /// Which lease.
        lease: LeaseId,
        /// This long.
        queued: Duration,
    },
    /// A lease has ended.
    Finished {
        /// Who says so.
        executor: ExecutorId,
        /// Which lease.
        lease: LeaseId,
        /// How it ended.
        ending: LeaseResult,
    },
    /// Nothing has been heard of an executor for a while.
    Suspected {
        /// Which.
        executor: ExecutorId,
    },
    /// It has been heard of again.
    Recovered {
        /// Which.
        executor: ExecutorId,
    },
    /// Time has passed. Wanted about ten times a second while there is more than one executor.
    Tick,
    /// An executor is gone.
    Lost {
        /// Which.
        executor: ExecutorId,
        /// Why.
        reason: String,
    },
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
    /// This many tests are known.
    Known {
        /// How many.
        tests: u64,
        /// Whether there are no more.
        complete: bool,
    },
    /// A test begins.
    Started {
        /// Which.
        test: CaseId,
        /// Its names.
        name: TestName,
    },
    /// An attempt was unexpected, and the test will be run again: no verdict.
    Rerun {
        /// Which.
        test: CaseId,
        /// The attempt.
        tried: Attempt,
    },
    /// A test has its verdict. One for each test.
    Verdict {
        /// Which.
        test: CaseId,
        /// The attempt that counts.
        tried: Attempt,
        /// Those before it that were unexpected, if it was run again.
        earlier: Vec<Attempt>,
        /// The peer where it had ended unexpectedly, while here it did not.
        differs_on: Option<String>,
    },
    /// A test's verdict is CRASH: executors went down with it.
    TookDown {
        /// Which.
        test: CaseId,
        /// How many attempts there were.
        attempts: u32,
        /// What happened to each executor.
        history: Vec<String>,
        /// Where it was last.
        place: Place,
    },
    /// A test's verdict is FAIL: this machine could not run it, or no peer.
    NobodyCan {
        /// Which.
        test: CaseId,
        /// How many attempts there were.
        attempts: u32,
        /// What stood in the way, with the names of peers.
        reasons: Vec<String>,
        /// Where it was last.
        place: Place,
    },
    /// Something a person should know.
    Notice(String),
    /// A peer gets no more tests.
    NoMore {
        /// Which.
        peer: String,
        /// Why.
        reason: String,
    },
    /// A test was given to an executor. Only if that is to be explained.
    Placed(Placement),
    /// The run stops.
    Stopping(StopReason),
    /// Tests are left and no executor is.
    Stuck {
        /// What happened to the last one.
        reason: String,
    },
    /// Nothing runs and nothing will. Comes once, last.
    Over {
        /// Tests without a verdict.
        not_run: u64,
        /// Whether all tests had been found.
        all_found: bool,
    },
}
