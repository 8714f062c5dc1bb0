//! `--time`: the slowest runs, printed at the end.

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind};

use crate::format;
use crate::report::files::record::Detail;
use crate::report::files::top::Top;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;

/// How many are kept, if `--slow-tests-cutoff` does not say otherwise (as in V8).
pub const CUTOFF: usize = 100;

/// Prints them.
pub struct Times {
    console: Console,
    context: Context,
    slowest: Top,
}

impl Times {
    /// Writes this many to `console`.
    pub fn new(console: Console, context: Context, cutoff: usize) -> Self {
        Self { console, context, slowest: Top::slowest(cutoff) }
    }
}

impl Reporter for Times {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => self.slowest.note(report, &self.context),
            EventKind::RunFinished(_) => {
                let mut text = String::new();
                let records = self.slowest.records();
                for record in &records {
                    let unmarked = matches!(record.detail, Detail::Top { marked_slow: false, .. });
                    let star = if unmarked { " *" } else { "" };
                    text.push_str(&format!(
                        "{} {} {}{star}\n",
                        format::clock_millis(record.duration),
                        record.name,
                        record.variant
                    ));
                }
                text.push_str("\nDetails:\n\n");
                for record in &records {
                    text.push_str(&format!(
                        "Test: {}\nFlags: {}\nCommand: {}\nDuration: {}\n",
                        record.name,
                        record.flags.join(" "),
                        record.command,
                        format::clock_millis(record.duration)
                    ));
                }
                self.console.write(text.as_bytes());
            }
            _ => {}
        }
    }
}
