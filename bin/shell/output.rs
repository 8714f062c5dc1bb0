//! Buffered standard output.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

/// How much waits before it is written.
const CAPACITY: usize = 64 * 1024;

/// How long printed text may wait while a script computes: a test that is killed at its deadline has shown
/// what it printed before.
const PATIENCE: Duration = Duration::from_millis(50);

/// Standard output. It is written when the buffer is full, before anything that may wait, and at the end.
pub(super) struct Output {
    buffer: RefCell<BufWriter<io::Stdout>>,
    flushed: RefCell<Instant>,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            buffer: RefCell::new(BufWriter::with_capacity(CAPACITY, io::stdout())),
            flushed: RefCell::new(Instant::now()),
        }
    }

    pub(super) fn write(&self, text: &str) {
        if self.buffer.borrow_mut().write_all(text.as_bytes()).is_err() {
            nobody_reads();
        }
    }

    pub(super) fn flush(&self) {
        if self.buffer.borrow_mut().flush().is_err() {
            nobody_reads();
        }
        *self.flushed.borrow_mut() = Instant::now();
    }

    /// Called now and then while a script runs.
    pub(super) fn flush_if_late(&self) {
        let waiting = !self.buffer.borrow().buffer().is_empty();
        if waiting && self.flushed.borrow().elapsed() > PATIENCE {
            self.flush();
        }
    }
}

/// The reader has gone away. Going on would compute for nobody, and there is nowhere to say so.
fn nobody_reads() -> ! {
    std::process::exit(1)
}
