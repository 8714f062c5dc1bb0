//! The thread that reads the cases of tests whose verdict no executor gives: no actor on an arbiter waits for files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use actix::Recipient;
use flotilla_messages::{CaseId, Cases};

use super::effect::CaseRead;
use crate::execution::pool::panic_text;

/// Reads cases, in the order in which they are asked for. The thread starts with the first one, since few runs have any,
/// and ends when this is dropped.
pub(super) struct CaseReader {
    cases: Arc<dyn Cases>,
    scheduler: Recipient<CaseRead>,
    asked: Option<Sender<CaseId>>,
}

impl CaseReader {
    /// For these cases. Each test asked for is answered once.
    pub(super) fn new(cases: Arc<dyn Cases>, scheduler: Recipient<CaseRead>) -> Self {
        Self { cases, scheduler, asked: None }
    }

    pub(super) fn read(&mut self, test: CaseId) {
        let asked = self.asked.take().or_else(|| self.start());
        if asked.as_ref().is_none_or(|asked| asked.send(test).is_err()) {
            // The run goes on without the test's name.
            self.scheduler.do_send(CaseRead { test, case: Err(None) });
        }
        self.asked = asked;
    }

    fn start(&self) -> Option<Sender<CaseId>> {
        let (asked, tests) = mpsc::channel();
        let (cases, scheduler) = (Arc::clone(&self.cases), self.scheduler.clone());
        let life = move || {
            for test in tests {
                scheduler.do_send(CaseRead { test, case: read(&*cases, test) });
            }
        };
        let started = thread::Builder::new().name("unrun".into()).spawn(life);
        started
            .inspect_err(|error| log::warn!("cannot start a thread that reads test cases: {error}"))
            .ok()?;
        Some(asked)
    }
}

fn read(cases: &dyn Cases, test: CaseId) -> super::effect::ReadCase {
    match catch_unwind(AssertUnwindSafe(|| cases.case(test))) {
        Ok(Ok(case)) => Ok(Box::new(case)),
        Ok(Err(unrunnable)) => Err(Some(unrunnable)),
        Err(panic) => {
            log::error!("the case of {test:?} cannot be made: {}", panic_text(&*panic));
            Err(None)
        }
    }
}
