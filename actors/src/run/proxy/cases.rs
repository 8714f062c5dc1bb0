//! Cases are made of files, which no actor on an arbiter waits for.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, Addr, Handler, Message, Recipient, SyncArbiter, SyncContext};
use flotilla_messages::Cases;

use super::core::Made;
use super::wire_case::size;
use crate::execution::executor::{Failed, Lease, LeaseId};
use crate::execution::pool::panic_text;

/// The most cases that are passed on together, so that the first ones do not wait for the last.
const BATCH: usize = 32;
/// The most bytes of arguments that are passed on together.
const BYTES: usize = 512 << 10;

/// Makes the cases of leases, for all proxies of a run, on a thread of its own.
pub struct CaseMaker {
    cases: Arc<dyn Cases>,
}

/// Make the cases of these, in this order.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Make {
    pub leases: Vec<Lease>,
    pub to: Recipient<MadeCases>,
}

/// Some of them are there.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct MadeCases(pub Vec<(LeaseId, Made)>);

impl CaseMaker {
    /// Starts the thread. To be called in a System.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start(cases: Arc<dyn Cases>) -> io::Result<Addr<Self>> {
        let maker = move || Self { cases: Arc::clone(&cases) };
        // actix panics when a thread cannot be started.
        catch_unwind(AssertUnwindSafe(move || SyncArbiter::start(1, maker)))
            .map_err(|panic| io::Error::other(panic_text(&*panic).to_owned()))
    }

    fn make(&self, lease: Lease) -> Made {
        let made = catch_unwind(AssertUnwindSafe(|| self.cases.case(lease.test)));
        match made {
            Ok(Ok(case)) => Ok(Box::new(case)),
            Ok(Err(unrunnable)) => Err(Box::new(Failed::unrunnable(*unrunnable))),
            Err(panic) => {
                let reason = format!("internal error: {}", panic_text(&*panic));
                Err(Box::new(Failed::nameless(lease.test, reason)))
            }
        }
    }
}

impl Actor for CaseMaker {
    type Context = SyncContext<Self>;
}

impl Handler<Make> for CaseMaker {
    type Result = ();

    fn handle(&mut self, Make { leases, to }: Make, _: &mut Self::Context) {
        let mut made = Vec::new();
        let mut bytes = 0;
        for lease in leases {
            let case = self.make(lease);
            bytes += case.as_ref().map_or(0, |case| size(case));
            made.push((lease.id, case));
            if made.len() >= BATCH || bytes >= BYTES {
                to.do_send(MadeCases(std::mem::take(&mut made)));
                bytes = 0;
            }
        }
        if !made.is_empty() {
            to.do_send(MadeCases(made));
        }
    }
}
