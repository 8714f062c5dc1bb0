//! What waits to be sent on one link: bytes, and never more than a limit.

use std::cell::{Cell, RefCell};

use bytes::BytesMut;
use tokio::sync::Notify;

/// The bytes between a link's actor, which never waits, and its writer, which does.
#[derive(Default)]
pub struct Outgoing {
    buffer: RefCell<BytesMut>,
    /// Taken by the writer, not yet sent.
    in_flight: Cell<usize>,
    closing: Cell<Option<Closing>>,
    more: Notify,
    closed: Notify,
    sent: Notify,
}

/// How to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// When everything is sent.
    Sent,
    /// At once.
    AtOnce,
}

impl Outgoing {
    /// Lets `write` append to what waits.
    pub fn append<R>(&self, write: impl FnOnce(&mut BytesMut) -> R) -> R {
        let result = write(&mut self.buffer.borrow_mut());
        self.more.notify_one();
        result
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.buffer.borrow().len() + self.in_flight.get()
    }

    /// Nothing is appended any more.
    pub fn close(&self, how: Closing) {
        self.closing.set(Some(how));
        self.more.notify_one();
        self.closed.notify_one();
        self.sent.notify_waiters();
    }

    /// The next bytes to send; nothing when all are sent and there will be no more. The bytes before count as sent.
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

    /// Waits until no more bytes than this wait, or it is closed.
    pub async fn room(&self, most: usize) {
        while self.waiting() > most && self.closing.get().is_none() {
            self.sent.notified().await;
        }
    }

    /// Waits until it is closed.
    pub async fn closed(&self) -> Closing {
        loop {
            if let Some(how) = self.closing.get() {
                return how;
            }
            self.closed.notified().await;
        }
    }
}
