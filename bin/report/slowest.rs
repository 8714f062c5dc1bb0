//! `--time`: the slowest runs, printed at the end.

use flotilla_actors::Reporter;
use flotilla_messages::Event;

use super::console::Console;
use super::context::Context;
use super::record::Detail;
use super::top::Top;

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
        match event {
            Event::Finished(report) => self.slowest.note(report, &self.context),
            Event::RunFinished(_) => {
                let mut text = String::new();
                let records = self.slowest.records();
                for record in &records {
                    let unmarked = matches!(record.detail, Detail::Top { marked_slow: false, .. });
                    let star = if unmarked { " *" } else { "" };
                    text.push_str(&format!(
                        "{} {} {}{star}\n",
                        clock(record.duration),
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
                        clock(record.duration)
                    ));
                }
                self.console.write(text.as_bytes());
            }
            _ => {}
        }
    }
}

/// V8's `MM:SS:mmm`.
fn clock(seconds: f64) -> String {
    let millis = (seconds * 1000.0) as u64;
    format!("{:02}:{:02}:{:03}", millis / 60_000, millis / 1000 % 60, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_v8s() {
        assert_eq!(clock(61.25), "01:01:250");
    }
}
