//! The executor actor of this machine.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, Addr, Context, Handler, Recipient, SyncArbiter};

use super::control::{Control, Setup};
use super::runner::{ProcessRunner, Run, panic_text};
use crate::execution::executor::{ExecutorId, News, Order, What};

/// Hands leases to its [`ProcessRunner`]s, which answer the scheduler themselves.
pub struct LocalPool {
    executor: ExecutorId,
    runners: Addr<ProcessRunner>,
    control: Arc<Control>,
    scheduler: Recipient<News>,
}

impl LocalPool {
    /// A pool of `jobs` threads, already running. To be called in a System.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new(
        executor: ExecutorId,
        jobs: NonZeroUsize,
        setup: Setup,
        scheduler: Recipient<News>,
    ) -> io::Result<Self> {
        let control = Arc::new(Control::new(jobs, setup)?);
        let (threads, shared, answers) = (jobs.get(), Arc::clone(&control), scheduler.clone());
        let runner = move || ProcessRunner {
            executor,
            seat: shared.seat(),
            control: Arc::clone(&shared),
            worker: None,
            bench: None,
            unconfined: None,
            scheduler: answers.clone(),
        };
        // actix panics when a thread cannot be started.
        let started = catch_unwind(AssertUnwindSafe(move || SyncArbiter::start(threads, runner)));
        let runners = started.map_err(|panic| io::Error::other(panic_text(&*panic).to_owned()))?;
        Ok(Self { executor, runners, control, scheduler })
    }

    /// The means to stop it from outside.
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }

    /// How many leases it takes: one for each thread, and a queue ahead, so that no thread waits for the scheduler.
    pub fn credit(jobs: NonZeroUsize) -> usize {
        const LEAST_AHEAD: usize = 8;
        jobs.get() + jobs.get().max(LEAST_AHEAD)
    }
}

impl Actor for LocalPool {
    type Context = Context<Self>;
}

impl Drop for LocalPool {
    /// However it ends, the scheduler hears of it. What runs is answered for by the scheduler's loss of the executor.
    fn drop(&mut self) {
        self.control.stop(true);
        let what = What::Lost { reason: "the local pool has ended".into() };
        self.scheduler.do_send(News { executor: self.executor, what });
    }
}

impl Handler<Order> for LocalPool {
    type Result = ();

    fn handle(&mut self, order: Order, _: &mut Self::Context) {
        match order {
            Order::Assign { leases, cases } => {
                self.control.enqueue(leases.iter().map(|lease| lease.id));
                for lease in leases {
                    self.runners.do_send(Run { lease, cases: Arc::clone(&cases) });
                }
            }
            Order::Withdraw(leases) => self.control.withdraw(&leases),
            Order::Stop { kill } => self.control.stop(kill),
        }
    }
}
