//! The executor actor of this machine.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use actix::{Actor, Context, Handler, Recipient};
use flotilla_messages::Cases;

use super::control::{Control, Setup};
use super::leased_test::LeasedTest;
use super::threads::PoolThreads;
use crate::execution::executor::{ExecutorEvent, ExecutorId, Order};

/// Hands the leases of a run to the threads of its pool, which answer the scheduler themselves.
pub struct LocalPool {
    threads: PoolThreads,
    cases: Arc<dyn Cases>,
}

impl LocalPool {
    /// A pool of `jobs` threads, already running, for leases of tests of `cases`. Must be called in an actix `System`.
    ///
    /// # Errors
    /// No descriptors or threads left.
    pub fn new(
        executor: ExecutorId,
        jobs: NonZeroUsize,
        setup: Setup,
        cases: Arc<dyn Cases>,
        scheduler: Recipient<ExecutorEvent>,
    ) -> io::Result<Self> {
        Ok(Self { threads: PoolThreads::start(executor, jobs, setup, scheduler)?, cases })
    }

    /// The means to stop it from outside.
    pub fn control(&self) -> Arc<Control> {
        self.threads.control()
    }

    /// The number of leases it takes: one for each thread, plus a queue so that no thread waits for the scheduler.
    pub fn credit(jobs: NonZeroUsize) -> usize {
        const LEAST_AHEAD: usize = 8;
        jobs.get() + jobs.get().max(LEAST_AHEAD)
    }
}

impl Actor for LocalPool {
    type Context = Context<Self>;
}

impl Handler<Order> for LocalPool {
    type Result = ();

    fn handle(&mut self, order: Order, _: &mut Self::Context) {
        match order {
            Order::Assign(leases) => {
                let test = |id| LeasedTest::Id { id, cases: Arc::clone(&self.cases) };
                self.threads.run(leases.into_iter().map(|lease| (lease.id, test(lease.test))).collect());
            }
            Order::Withdraw(leases) => self.control().withdraw(&leases),
            Order::Stop { kill } => self.control().stop(kill),
        }
    }
}
