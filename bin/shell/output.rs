//! Buffered standard output.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

/// The size of the buffer.
const CAPACITY_BYTES: usize = 64 * 1024;

/// How long printed text may stay in the buffer while a script runs, so that a test that is killed at its deadline
/// loses hardly any output.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

/// Buffered standard output. It is flushed when the buffer is full, before anything that may block, and at the end.
pub(super) struct Output {
    buffer: RefCell<BufWriter<io::Stdout>>,
    flushed: RefCell<Instant>,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            buffer: RefCell::new(BufWriter::with_capacity(CAPACITY_BYTES, io::stdout())),
            flushed: RefCell::new(Instant::now()),
        }
    }

    pub(super) fn write(&self, text: &str) {
        if self.buffer.borrow_mut().write_all(text.as_bytes()).is_err() {
            exit_without_reader();
        }
    }

    pub(super) fn flush(&self) {
        if self.buffer.borrow_mut().flush().is_err() {
            exit_without_reader();
        }
        *self.flushed.borrow_mut() = Instant::now();
    }

    /// Flushes if text has waited too long. The engine calls this regularly while a script runs.
    pub(super) fn flush_if_late(&self) {
        let waiting = !self.buffer.borrow().buffer().is_empty();
        if waiting && self.flushed.borrow().elapsed() > FLUSH_INTERVAL {
            self.flush();
        }
    }
}

/// Ends the process, because standard output cannot be written: nothing would see further results or an error message.
fn exit_without_reader() -> ! {
    std::process::exit(1)
}
