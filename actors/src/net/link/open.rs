//! Counts open connections, so that a program can wait at its end until their last frames are sent.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use tokio::sync::Notify;

/// A counter of open connections. Clones share the count.
#[derive(Clone, Default)]
pub struct Open(Rc<OpenCount>);

#[derive(Default)]
struct OpenCount {
    count: Cell<usize>,
    closed: Notify,
}

/// Counts as one open connection until it is dropped.
pub struct Guard(Rc<OpenCount>);

impl Open {
    /// Counts one more connection.
    pub(super) fn enter(&self) -> Guard {
        self.0.count.set(self.0.count.get() + 1);
        Guard(Rc::clone(&self.0))
    }

    /// Waits until all connections are closed. A link that is being closed takes a few seconds at most; for an open one
    /// the wait has no limit.
    pub async fn drained(&self) {
        while self.0.count.get() > 0 {
            self.0.closed.notified().await;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        self.0.closed.notify_one();
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} open", self.0.count.get())
    }
}
