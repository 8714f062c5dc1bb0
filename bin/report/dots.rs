//! V8's `dots`: a character a test, fifty a line, failures at the end.

use flotilla_actors::Reporter;
use flotilla_messages::{Event, Outcome};

use super::console::Console;
use super::context::Context;
use super::failure;
use super::tally::{self, Tally};

/// A character a test.
pub struct Dots {
    console: Console,
    context: Context,
    tally: Tally,
    count: u64,
    failures: Vec<u8>,
}

impl Dots {
    /// Writes to `console`.
    pub fn new(console: Console, context: Context) -> Self {
        Self { console, context, tally: Tally::default(), count: 0, failures: Vec::new() }
    }
}

impl Reporter for Dots {
    fn event(&mut self, event: &Event) {
        self.tally.note(event);
        match event {
            Event::Finished(report) => {
                let mark = match report.outcome {
                    _ if report.as_expected => ".",
                    Outcome::Crash => "C",
                    Outcome::Timeout => "T",
                    Outcome::Fail | Outcome::Pass => "F",
                };
                let line_end = if self.count > 0 && self.count.is_multiple_of(50) { "\n" } else { "" };
                self.count += 1;
                self.console.write(format!("{line_end}{mark}").as_bytes());
                self.failures.extend(failure::blocks(report, &self.context, &self.console));
            }
            Event::Stopping(reason) => self.console.line(&format!("\n{}", tally::stopping(*reason))),
            Event::Notice(text) => self.console.line(&format!("\n{text}")),
            Event::RunFinished(summary) => {
                self.console.line("");
                self.console.write(&self.failures);
                self.tally.close(&mut self.console, summary);
            }
            Event::Again(_)
            | Event::Listed { .. }
            | Event::Started { .. }
            | Event::Placed(_)
            | Event::Peer(_)
            | Event::Sending { .. } => {}
        }
    }
}
