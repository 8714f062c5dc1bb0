//! V8's `dots`: a character a test, fifty a line, failures at the end.

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome};

use crate::report::shared::closing;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;
use crate::report::shared::failure;

/// A character a test.
pub struct Dots {
    console: Console,
    context: Context,
    failures: Vec<u8>,
}

impl Dots {
    /// Writes to `console`.
    pub fn new(console: Console, context: Context) -> Self {
        Self { console, context, failures: Vec::new() }
    }
}

impl Reporter for Dots {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => {
                let mark = match report.outcome {
                    _ if report.as_expected => ".",
                    Outcome::Crash => "C",
                    Outcome::Timeout => "T",
                    Outcome::Fail | Outcome::Pass => "F",
                };
                let before = event.stats.counts.finished().saturating_sub(1);
                let line_end = if before > 0 && before.is_multiple_of(50) { "\n" } else { "" };
                self.console.write(format!("{line_end}{mark}").as_bytes());
                self.failures.extend(failure::blocks(report, &self.context, &self.console));
            }
            EventKind::Stopping(reason) => self.console.line(&format!("\n{}", closing::stopping(*reason))),
            EventKind::Notice(text) => self.console.line(&format!("\n{text}")),
            EventKind::RunFinished(end) => {
                self.console.line("");
                self.console.write(&self.failures);
                closing::close(&mut self.console, end);
            }
            EventKind::Again(_)
            | EventKind::RunStarted(_)
            | EventKind::Listed { .. }
            | EventKind::Started { .. }
            | EventKind::Placed(_)
            | EventKind::Peer(_)
            | EventKind::Sending { .. } => {}
        }
    }
}
