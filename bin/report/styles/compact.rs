//! V8's `mono` and `color`: one status line, rewritten for every test.

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind};

use crate::format;
use crate::report::shared::closing;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;
use crate::report::shared::failure;
use crate::report::shared::sending::Sending;

/// The status line's room, as V8 has it.
const WIDTH: usize = 75;

/// One status line.
pub struct Compact {
    console: Console,
    context: Context,
    sending: Sending,
    shown: usize,
}

impl Compact {
    /// Writes to `console`, in colour if that is a colour console.
    pub fn new(console: Console, context: Context) -> Self {
        Self { console, context, sending: Sending::default(), shown: 0 }
    }

    fn status(&mut self, event: &Event, name: &str) {
        let times = format::clock(event.elapsed);
        let percent = format!("% {:3}", event.stats.percent());
        let passed = format!("+{:4}", event.stats.counts.expected);
        let failed = format!("-{:4}", event.stats.counts.unexpected);
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
        self.sending.note(&event.kind);
        match &event.kind {
            EventKind::Finished(report) => {
                if !report.as_expected {
                    let block = failure::block(report, &self.context, &self.console);
                    self.print(&block);
                }
                self.status(event, &report.name.path());
            }
            EventKind::Again(report) => {
                let block = failure::rerun(report, &self.context, &self.console);
                self.print(&block);
                self.status(event, &report.name.path());
            }
            EventKind::Stopping(reason) => self.print(format!("{}\n", closing::stopping(*reason)).as_bytes()),
            EventKind::Notice(text) => self.print(format!("{text}\n").as_bytes()),
            EventKind::RunFinished(end) => {
                self.status(event, "Done");
                self.shown = 0;
                self.console.line("");
                closing::close(&mut self.console, end);
            }
            EventKind::Sending { .. } => {
                if let Some(line) = self.sending.line() {
                    self.status(event, &line);
                }
            }
            EventKind::RunStarted(_)
            | EventKind::Listed { .. }
            | EventKind::Started { .. }
            | EventKind::Placed(_)
            | EventKind::Peer(_) => {}
        }
    }
}
