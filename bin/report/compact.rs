//! V8's `mono` and `color`: one status line, rewritten for every test.

use std::time::Instant;

use flotilla_actors::Reporter;
use flotilla_messages::Event;

use super::console::Console;
use super::context::Context;
use super::failure;
use super::sending::Sending;
use super::tally::{self, Tally};

/// The status line's room, as V8 has it.
const WIDTH: usize = 75;

/// One status line.
pub struct Compact {
    console: Console,
    context: Context,
    tally: Tally,
    sending: Sending,
    start: Instant,
    shown: usize,
}

impl Compact {
    /// Writes to `console`, in colour if that is a colour console.
    pub fn new(console: Console, context: Context) -> Self {
        let (tally, sending) = (Tally::default(), Sending::default());
        Self { console, context, tally, sending, start: Instant::now(), shown: 0 }
    }

    fn status(&mut self, name: &str) {
        let elapsed = self.start.elapsed().as_secs();
        let times = format!("{:02}:{:02}", elapsed / 60, elapsed % 60);
        let percent = format!("% {:3}", self.tally.percent());
        let passed = format!("+{:4}", self.tally.passed);
        let failed = format!("-{:4}", self.tally.failed);
        let head = times.len() + percent.len() + passed.len() + failed.len() + "[|||]: ".len();
        let room = WIDTH.saturating_sub(head);
        let name = match name.char_indices().nth(room) {
            Some((cut, _)) => format!("{}...", &name[..cut]),
            None => name.to_owned(),
        };
        let line = format!(
            "[{times}|{}|{}|{}]: {name}",
            self.console.styled("34", &percent),
            self.console.styled("32", &passed),
            self.console.styled("31", &failed),
        );
        let clear = self.clear();
        self.shown = head + name.chars().count();
        self.console.write(format!("{clear}{line}").as_bytes());
    }

    /// What takes the status line away.
    fn clear(&mut self) -> String {
        let shown = std::mem::take(&mut self.shown);
        match shown {
            0 => String::new(),
            _ if self.console.color() => "\x1b[1K\r".into(),
            shown => format!("\r{}\r", " ".repeat(shown)),
        }
    }

    fn print(&mut self, bytes: &[u8]) {
        let mut text = self.clear().into_bytes();
        text.extend_from_slice(bytes);
        self.console.write(&text);
    }
}

impl Reporter for Compact {
    fn event(&mut self, event: &Event) {
        self.tally.note(event);
        self.sending.note(event);
        match event {
            Event::Finished(report) => {
                if !report.as_expected {
                    let block = failure::block(report, &self.context, &self.console);
                    self.print(&block);
                }
                self.status(&report.name.path());
            }
            Event::Again(report) => {
                let mut block = failure::block(report, &self.context, &self.console);
                block.extend(b"It is run again.\n");
                self.print(&block);
                self.status(&report.name.path());
            }
            Event::Stopping(reason) => self.print(format!("{}\n", tally::stopping(*reason)).as_bytes()),
            Event::Notice(text) => self.print(format!("{text}\n").as_bytes()),
            Event::RunFinished(summary) => {
                self.status("Done");
                self.shown = 0;
                self.console.line("");
                self.tally.close(&mut self.console, summary);
            }
            Event::Sending { .. } => {
                if let Some(line) = self.sending.line() {
                    self.status(&line);
                }
            }
            Event::Listed { .. } | Event::Started { .. } | Event::Placed(_) | Event::Peer(_) => {}
        }
    }
}
