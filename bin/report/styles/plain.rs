//! The default away from a terminal: failures as they come, a line of counts now and then, a summary.

use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, RunStats, RunStatus};

use crate::report::shared::closing;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;
use crate::report::shared::failure;
use crate::report::shared::sending::Sending;

/// How often a line of counts is written at most.
const EVERY: Duration = Duration::from_secs(10);

/// Plain lines.
pub struct Plain {
    console: Console,
    context: Context,
    sending: Sending,
    /// When a line about that was written last, since the run's start.
    sent: Option<Duration>,
    failed: Vec<String>,
    /// When a line of counts was written last, likewise.
    last: Duration,
}

impl Plain {
    /// Writes to `console`.
    pub fn new(console: Console, context: Context) -> Self {
        let (sending, failed) = (Sending::default(), Vec::new());
        Self { console, context, sending, sent: None, failed, last: Duration::ZERO }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event) {
        self.sending.note(&event.kind);
        match &event.kind {
            EventKind::Finished(report) => {
                if !report.as_expected
                    && let Some(block) = failure::paragraph(report, &self.context, &self.console)
                {
                    self.console.write(&block);
                    self.failed.push(closing::failed_line(report));
                }
            }
            EventKind::Again(report) => {
                let mut block = failure::rerun(report, &self.context, &self.console);
                block.push(b'\n');
                self.console.write(&block);
            }
            EventKind::Stopping(reason) => self.console.line(closing::stopping(*reason)),
            EventKind::Notice(text) => self.console.line(text),
            EventKind::RunFinished(end) => {
                for line in &self.failed {
                    self.console.line(line);
                }
                closing::close(&mut self.console, end);
            }
            EventKind::Sending { .. } => {
                // The first at once: it comes when a transfer has lasted a second.
                if self.sent.is_none_or(|sent| event.elapsed.saturating_sub(sent) >= EVERY)
                    && let Some(line) = self.sending.line()
                {
                    self.sent = Some(event.elapsed);
                    self.console.line(&line);
                }
            }
            EventKind::RunStarted(_)
            | EventKind::Listed { .. }
            | EventKind::Started { .. }
            | EventKind::Placed(_)
            | EventKind::Peer(_) => {}
        }
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, status: &RunStatus) {
        if status.elapsed.saturating_sub(self.last) >= EVERY {
            self.last = status.elapsed;
            let RunStats { listed, listing_complete, counts, .. } = status.stats;
            let more = if listing_complete { "" } else { " or more" };
            self.console.line(&format!(
                "{} of {listed}{more} tests: {} as expected, {} unexpected",
                counts.finished(),
                counts.expected,
                counts.unexpected
            ));
        }
    }
}
