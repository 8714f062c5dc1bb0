//! V8's `stream`: verdict and name, a line each (without the stray `s` V8 prints after the name).

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome};

use crate::report::shared::closing;
use crate::report::shared::console::Console;

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
        match &event.kind {
            EventKind::Finished(report) => {
                let verdict = match report.outcome {
                    _ if report.as_expected => "PASS",
                    Outcome::Pass => "UNEXPECTED PASS",
                    other => other.as_str(),
                };
                self.console.line(&format!("{verdict}: {}", report.name.path()));
            }
            EventKind::Stopping(reason) => self.console.line(closing::stopping(*reason)),
            EventKind::Notice(text) => self.console.line(text),
            EventKind::RunFinished(end) => closing::close(&mut self.console, end),
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
