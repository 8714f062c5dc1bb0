//! V8's `stream`: verdict and name, a line each (without the stray `s` V8 prints after the name).

use flotilla_actors::Reporter;
use flotilla_messages::{Event, Outcome};

use super::console::Console;
use super::tally;

/// A verdict and a name a line.
pub struct Stream {
    console: Console,
}

impl Stream {
    /// Writes to `console`.
    pub fn new(console: Console) -> Self {
        Self { console }
    }
}

impl Reporter for Stream {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Finished(report) => {
                let verdict = match report.outcome {
                    _ if report.as_expected => "PASS",
                    Outcome::Pass => "UNEXPECTED PASS",
                    other => other.as_str(),
                };
                self.console.line(&format!("{verdict}: {}", report.name.path()));
            }
            Event::Stopping(reason) => self.console.line(tally::stopping(*reason)),
            Event::Notice(text) => self.console.line(text),
            Event::RunFinished(summary) => self.console.line(&tally::closing(summary)),
            Event::Listed { .. } | Event::Started { .. } | Event::Sending { .. } => {}
        }
    }
}
