//! The default away from a terminal: failures as they come, a line of counts now and then, a summary.

use std::time::{Duration, Instant};

use flotilla_actors::Reporter;
use flotilla_messages::Event;

use super::console::Console;
use super::context::Context;
use super::failure;
use super::sending::Sending;
use super::tally::{self, Tally};

/// How often a line of counts is written at most.
const EVERY: Duration = Duration::from_secs(10);

/// Plain lines.
pub struct Plain {
    console: Console,
    context: Context,
    tally: Tally,
    sending: Sending,
    /// When a line about that was written last.
    sent: Option<Instant>,
    failed: Vec<String>,
    last: Instant,
}

impl Plain {
    /// Writes to `console`.
    pub fn new(console: Console, context: Context) -> Self {
        Self {
            console,
            context,
            tally: Tally::default(),
            sending: Sending::default(),
            sent: None,
            failed: Vec::new(),
            last: Instant::now(),
        }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event) {
        self.tally.note(event);
        self.sending.note(event);
        match event {
            Event::Finished(report) => {
                if !report.as_expected {
                    let mut block = failure::block(report, &self.context, &self.console);
                    if !block.is_empty() {
                        block.push(b'\n');
                        self.console.write(&block);
                        self.failed.push(tally::failed_line(report));
                    }
                }
            }
            Event::Again(report) => {
                let mut block = failure::block(report, &self.context, &self.console);
                block.extend(b"It is run again.\n\n");
                self.console.write(&block);
            }
            Event::Stopping(reason) => self.console.line(tally::stopping(*reason)),
            Event::Notice(text) => self.console.line(text),
            Event::RunFinished(summary) => {
                for line in &self.failed {
                    self.console.line(line);
                }
                self.tally.close(&mut self.console, summary);
            }
            Event::Sending { .. } => {
                // The first at once: it comes when a transfer has lasted a second.
                if self.sent.is_none_or(|sent| sent.elapsed() >= EVERY)
                    && let Some(line) = self.sending.line()
                {
                    self.sent = Some(Instant::now());
                    self.console.line(&line);
                }
            }
            Event::Listed { .. } | Event::Started { .. } | Event::Placed(_) | Event::Peer(_) => {}
        }
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, now: Instant) {
        if now.duration_since(self.last) >= EVERY {
            self.last = now;
            let more = if self.tally.complete { "" } else { " or more" };
            self.console.line(&format!(
                "{} of {}{more} tests: {} as expected, {} unexpected",
                self.tally.finished(),
                self.tally.listed,
                self.tally.passed,
                self.tally.failed
            ));
        }
    }
}
