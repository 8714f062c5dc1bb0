//! The queue of bytes to be sent on one link.

use std::cell::{Cell, RefCell};

use bytes::BytesMut;
use tokio::sync::Notify;

/// The queue between a link's actor, which never waits, and its writer, which does.
#[derive(Default)]
pub struct Outgoing {
    buffer: RefCell<BytesMut>,
    /// Bytes that the writer has taken but not yet sent.
    in_flight: Cell<usize>,
    closing: Cell<Option<Closing>>,
    more: Notify,
    closed: Notify,
    sent: Notify,
}

/// When the writer closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Once everything is sent.
    Sent,
    /// At once.
    AtOnce,
}

impl Outgoing {
    /// Lets `write` append to the queue.
    pub fn append<R>(&self, write: impl FnOnce(&mut BytesMut) -> R) -> R {
        let result = write(&mut self.buffer.borrow_mut());
        self.more.notify_one();
        result
    }

    /// The number of bytes that wait to be sent, including those that the writer has taken.
    pub fn waiting(&self) -> usize {
        self.buffer.borrow().len() + self.in_flight.get()
    }

    /// Closes the queue: nothing more will be appended.
    pub fn close(&self, how: Closing) {
        self.closing.set(Some(how));
        self.more.notify_one();
        self.closed.notify_one();
        self.sent.notify_waiters();
    }

    /// The next bytes to send, or `None` once the queue is closed and has nothing more to send. The bytes of the
    /// previous call count as sent.
    pub async fn next(&self) -> Option<BytesMut> {
        loop {
            let bytes = self.buffer.borrow_mut().split();
            self.in_flight.set(bytes.len());
            self.sent.notify_waiters();
            if !bytes.is_empty() {
                return Some(bytes);
            }
            if self.closing.get().is_some() {
                return None;
            }
            self.more.notified().await;
        }
    }

    /// Waits until at most `most` bytes wait to be sent, or the queue is closed.
    pub async fn room(&self, most: usize) {
        while self.waiting() > most && self.closing.get().is_none() {
            self.sent.notified().await;
        }
    }

    /// Waits until the queue is closed.
    pub async fn closed(&self) -> Closing {
        loop {
            if let Some(how) = self.closing.get() {
                return how;
            }
            self.closed.notified().await;
        }
    }
}
