//! The threads of a pool, whatever gives them work: the executor of a run, or the job of a peer.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Addr, Recipient, SyncArbiter};

use super::control::{Control, Setup};
use super::leased_test::LeasedTest;
use super::runner::{ProcessRunner, Run, panic_text};
use crate::execution::executor::{ExecutorEvent, ExecutorEventKind, ExecutorId, LeaseId};

/// One [`ProcessRunner`] on each of a number of threads. They answer leases themselves.
pub struct PoolThreads {
    executor: ExecutorId,
    runners: Addr<ProcessRunner>,
    control: Arc<Control>,
    answers: Recipient<ExecutorEvent>,
}

impl PoolThreads {
    /// Starts this number of threads. Must be called in an actix `System`. `answers` receives the events of the leases.
    ///
    /// # Errors
    /// No descriptors or threads left.
    pub fn start(
        executor: ExecutorId,
        jobs: NonZeroUsize,
        setup: Setup,
        answers: Recipient<ExecutorEvent>,
    ) -> io::Result<Self> {
        let control = Arc::new(Control::new(jobs, setup)?);
        let (threads, shared, scheduler) = (jobs.get(), Arc::clone(&control), answers.clone());
        let runner = move || ProcessRunner {
            executor,
            seat: shared.seat(),
            control: Arc::clone(&shared),
            worker: None,
            scratch_dir: None,
            unconfined: None,
            scheduler: scheduler.clone(),
        };
        // actix panics when a thread cannot be started.
        let started = catch_unwind(AssertUnwindSafe(move || SyncArbiter::start(threads, runner)));
        let runners = started.map_err(|panic| io::Error::other(panic_text(&*panic).to_owned()))?;
        Ok(Self { executor, runners, control, answers })
    }

    /// The means to stop it from outside.
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }

    /// Runs these, in this order. The caller limits the number of waiting leases.
    pub fn run(&self, leases: Vec<(LeaseId, LeasedTest)>) {
        self.control.enqueue(leases.iter().map(|(lease, _)| *lease));
        for (lease, test) in leases {
            self.runners.do_send(Run { lease, test });
        }
    }
}

impl Drop for PoolThreads {
    /// Kills what is running and sends [`ExecutorEventKind::Lost`], however the pool ends.
    fn drop(&mut self) {
        self.control.stop(true);
        let what = ExecutorEventKind::Lost { reason: "the local pool has ended".into() };
        self.answers.do_send(ExecutorEvent { executor: self.executor, kind: what });
    }
}
