//! V8's `stream`: verdict and name, a line each (without the stray `s` V8 prints after the name).

use flotilla_actors::Reporter;
use flotilla_messages::{Event, Outcome};

use super::console::Console;
use super::tally::{self, Tally};

/// A verdict and a name a line.
pub struct Stream {
    console: Console,
    tally: Tally,
}

impl Stream {
    /// Writes to `console`.
    pub fn new(console: Console) -> Self {
        Self { console, tally: Tally::default() }
    }
}

impl Reporter for Stream {
    fn event(&mut self, event: &Event) {
        self.tally.note(event);
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
            Event::RunFinished(summary) => {
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
