//! Which connections still have something to send: the end of a program waits for their last words.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use tokio::sync::Notify;

/// Counts connections. Clones count the same ones.
#[derive(Clone, Default)]
pub struct Open(Rc<OpenCount>);

#[derive(Default)]
struct OpenCount {
    count: Cell<usize>,
    closed: Notify,
}

/// One connection, until it is dropped.
pub struct Guard(Rc<OpenCount>);

impl Open {
    /// One more.
    pub(super) fn enter(&self) -> Guard {
        self.0.count.set(self.0.count.get() + 1);
        Guard(Rc::clone(&self.0))
    }

    /// Waits until all are closed. A closed link takes some seconds at most, an open one as long as it likes.
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
