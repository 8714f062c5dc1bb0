//! The thread on which tests are found: listing reads files, and no actor waits for files.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use actix::{Message, Recipient};
use flotilla_messages::{Cases, Entry};

use crate::execution::pool::panic_text;

/// The largest number of tests passed on together.
const BATCH: usize = 1024;
/// The longest a found test waits for others, if nobody is waiting for it.
const WAIT: Duration = Duration::from_millis(10);

/// What the lister tells the scheduler.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Listing {
    /// These tests were found.
    Found(Vec<Entry>),
    /// There are no more.
    Ended,
    /// Listing broke.
    Failed(String),
}

/// What scheduler and lister tell each other without messages.
#[derive(Default)]
pub(super) struct ListingDemand {
    /// Somebody waits for the next test.
    pub(super) hungry: AtomicBool,
    /// Nobody wants any more.
    pub(super) enough: AtomicBool,
}

/// Starts listing.
///
/// # Errors
/// No thread is left.
pub(super) fn start(
    cases: Arc<dyn Cases>,
    appetite: Arc<ListingDemand>,
    scheduler: Recipient<Listing>,
) -> io::Result<()> {
    let life = move || {
        // What is known is forty bytes a test and taken in faster than found: it cannot pile up.
        let tell = |listing| scheduler.do_send(listing);
        let listed = catch_unwind(AssertUnwindSafe(|| list(&*cases, &appetite, &tell)));
        match listed {
            Ok(true) => tell(Listing::Ended),
            Ok(false) => {}
            Err(panic) => tell(Listing::Failed(panic_text(&*panic).to_owned())),
        }
    };
    thread::Builder::new().name("lister".into()).spawn(life).map(drop)
}

/// Says whether all tests were found: nobody may want them any more.
fn list(cases: &dyn Cases, appetite: &ListingDemand, tell: &dyn Fn(Listing)) -> bool {
    let mut batch = Vec::new();
    let mut flushed = Instant::now();
    for entry in cases.entries() {
        if appetite.enough.load(Ordering::Relaxed) {
            return false;
        }
        batch.push(entry);
        // Taken as an order for one batch: the scheduler says so again if that was not enough.
        let hungry = appetite.hungry.swap(false, Ordering::Relaxed);
        if hungry || batch.len() >= BATCH || flushed.elapsed() >= WAIT {
            tell(Listing::Found(std::mem::take(&mut batch)));
            flushed = Instant::now();
        }
    }
    if !batch.is_empty() {
        tell(Listing::Found(batch));
    }
    true
}
