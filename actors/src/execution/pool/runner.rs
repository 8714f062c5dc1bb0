//! The actor on each thread of the pool.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, Handler, Message, Recipient, SyncContext};
use flotilla_messages::TestName;

use super::attempt::{WorkerState, attempt};
use super::control::Control;
use super::leased_test::LeasedTest;
use super::sandbox::Sandbox;
use super::scratch_dir::ScratchDir;
use crate::execution::executor::{
    ExecutorEvent, ExecutorEventKind, ExecutorId, Failed, LeaseId, LeaseResult,
};
use crate::execution::process::Worker;

/// A lease to run. The answer goes to the pool's scheduler.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Run {
    pub(super) lease: LeaseId,
    pub(super) test: LeasedTest,
}

/// Runs one process at a time. A `SyncArbiter` holds one per job slot, each on its own thread.
pub struct ProcessRunner {
    pub(super) executor: ExecutorId,
    pub(super) control: Arc<Control>,
    pub(super) seat: Option<usize>,
    /// Made for the first test, and again after a test during which it panicked.
    pub(super) worker: Option<Worker>,
    /// Made for the first test.
    pub(super) scratch_dir: Option<ScratchDir>,
    /// Why this thread cannot run tests from another machine, if it cannot.
    pub(super) unconfined: Option<String>,
    pub(super) scheduler: Recipient<ExecutorEvent>,
}

impl Actor for ProcessRunner {
    type Context = SyncContext<Self>;

    /// Runs on the thread that runs the tests, before the first one; again after a panic, which changes nothing.
    fn started(&mut self, _: &mut Self::Context) {
        let entered = self.control.setup.guest.as_ref().map_or(Ok(()), Sandbox::enter);
        self.unconfined = entered.err();
    }
}

impl Handler<Run> for ProcessRunner {
    type Result = ();

    fn handle(&mut self, Run { lease, test }: Run, _: &mut Self::Context) {
        let ending = self.answer(lease, test);
        self.tell(ExecutorEventKind::Finished { lease, ending });
    }
}

impl ProcessRunner {
    /// Returns an ending for the lease, even if its test panics.
    fn answer(&mut self, lease: LeaseId, test: LeasedTest) -> LeaseResult {
        let nameless = test.id(lease);
        let control = Arc::clone(&self.control);
        let Some(switch) = self.seat.and_then(|seat| control.switch(seat)) else {
            let reason = "internal error: a thread without a place".to_owned();
            return LeaseResult::Failed(Box::new(Failed::nameless(nameless, reason)));
        };
        if !control.begin(lease, switch) {
            return LeaseResult::Withdrawn;
        }
        if let Some(reason) = &self.unconfined {
            let reason = reason.clone();
            control.end(lease, switch);
            return LeaseResult::Unable { reason };
        }
        // Taken out while in use, so that a worker is not reused after a panic.
        let new = || {
            let worker = control.setup.guest.as_ref().map_or_else(Worker::new, Sandbox::worker);
            worker.map(|worker| worker.measuring(control.setup.memory))
        };
        let worker = self.worker.take().map_or_else(new, Ok);
        let seat = self.seat.unwrap_or_default();
        let mut scratch_dir =
            self.scratch_dir.take().unwrap_or_else(|| ScratchDir::new(&control.setup.scratch, seat));
        let ending = match worker {
            Ok(mut worker) => {
                let mut known = None;
                let attempted = catch_unwind(AssertUnwindSafe(|| {
                    let mut started = |name: &TestName| {
                        known = Some(name.clone());
                        self.tell(ExecutorEventKind::Started { lease, name: name.clone() });
                    };
                    let state = WorkerState { worker: &mut worker, scratch_dir: &mut scratch_dir };
                    let ending = attempt(state, &control.setup, lease, test, switch, &mut started);
                    (worker, scratch_dir, ending)
                }));
                match attempted {
                    Ok((worker, scratch_dir, ending)) => {
                        self.worker = Some(worker);
                        self.scratch_dir = Some(scratch_dir);
                        ending
                    }
                    Err(panic) => {
                        let reason = format!("internal error: {}", panic_text(&*panic));
                        let mut failed = Failed::nameless(nameless, reason);
                        if let Some(name) = known {
                            failed.id = name.path();
                            failed.name = name;
                        }
                        LeaseResult::Failed(Box::new(failed))
                    }
                }
            }
            Err(error) => {
                let reason = format!("cannot prepare for running processes: {error}");
                match control.setup.guest {
                    Some(_) => LeaseResult::Unable { reason },
                    None => LeaseResult::Failed(Box::new(Failed::nameless(nameless, reason))),
                }
            }
        };
        control.end(lease, switch);
        ending
    }

    fn tell(&self, what: ExecutorEventKind) {
        // At most two messages for each lease that the scheduler assigned, so they cannot pile up. If the scheduler has
        // ended, they are dropped.
        self.scheduler.do_send(ExecutorEvent { executor: self.executor, kind: what });
    }
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no explanation")
}
