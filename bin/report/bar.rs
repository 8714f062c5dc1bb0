//! The default on a terminal: a bar with counts, time left and the tests that run.

use std::time::{Duration, Instant};

use flotilla_actors::Reporter;
use flotilla_messages::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use super::context::Context;
use super::failure;
use super::running::Running;
use super::sending::Sending;
use super::tally::{self, Tally};

/// How many running tests are named.
const NAMED: usize = 3;

/// The bar.
pub struct Bar {
    console: Console,
    context: Context,
    bar: ProgressBar,
    tally: Tally,
    running: Running,
    sending: Sending,
    failed: Vec<String>,
}

impl Bar {
    /// Draws on standard output.
    pub fn new(console: Console, context: Context) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(10));
        let template = if console.color() {
            "{elapsed_precise} {bar:30.cyan} {prefix} {wide_msg:.dim}"
        } else {
            "{elapsed_precise} {bar:30} {prefix} {wide_msg}"
        };
        // The template is a constant; should it ever be wrong, indicatif's own look is good enough.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            console,
            context,
            bar,
            tally: Tally::default(),
            running: Running::default(),
            sending: Sending::default(),
            failed: Vec::new(),
        }
    }

    fn print(&mut self, bytes: &[u8]) {
        let console = &mut self.console;
        self.bar.suspend(|| console.write(bytes));
    }

    fn draw(&mut self) {
        self.bar.set_length(self.tally.listed);
        self.bar.set_position(self.tally.finished());
        self.bar.set_prefix(self.counts());
        let mut message = self.names();
        if let Some(sending) = self.sending.line() {
            message = if message.is_empty() { sending } else { format!("{message}; {sending}") };
        }
        self.bar.set_message(message);
        self.bar.tick();
    }

    fn counts(&self) -> String {
        let more = if self.tally.complete { "" } else { "+" };
        let mut text = format!("{}/{}{more}", self.tally.finished(), self.tally.listed);
        if self.tally.failed > 0 {
            let failed = self.console.styled("31", &format!("{} unexpected", self.tally.failed));
            text.push_str(&format!(", {failed}"));
        }
        if self.tally.complete && self.tally.finished() > 0 {
            text.push_str(&format!(", {} left", tally::seconds(self.bar.eta())));
        }
        text
    }

    /// The tests that have run longest, with how long if that is worth telling.
    fn names(&self) -> String {
        let mut running: Vec<_> = self.running.tests().collect();
        running.sort_by_key(|(_, since)| *since);
        let named: Vec<String> = running
            .iter()
            .take(NAMED)
            .map(|(name, since)| match since.elapsed() {
                age if age > Duration::from_secs(5) => format!("{name} {} s", age.as_secs()),
                _ => name.clone(),
            })
            .collect();
        let others = match running.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        format!("{}{others}", named.join(", "))
    }
}

impl Reporter for Bar {
    fn event(&mut self, event: &Event) {
        self.tally.note(event);
        self.running.note(event);
        self.sending.note(event);
        match event {
            Event::Finished(report) => {
                if !report.as_expected {
                    let mut block = failure::block(report, &self.context, &self.console);
                    if !block.is_empty() {
                        block.push(b'\n');
                        self.print(&block);
                        self.failed.push(tally::failed_line(report));
                    }
                }
            }
            Event::Again(report) => {
                let mut block = failure::block(report, &self.context, &self.console);
                block.extend(b"It is run again.\n\n");
                self.print(&block);
            }
            Event::Stopping(reason) => self.print(format!("{}\n", tally::stopping(*reason)).as_bytes()),
            Event::Notice(text) => self.print(format!("{text}\n").as_bytes()),
            Event::RunFinished(summary) => {
                self.bar.finish_and_clear();
                for line in &self.failed {
                    self.console.line(line);
                }
                for line in self.tally.flaky() {
                    self.console.line(line);
                }
                if let Some(places) = self.tally.places() {
                    self.console.line(&places);
                }
                let style = if self.failed.is_empty() { "32" } else { "1;31" };
                let closing = self.console.styled(style, &tally::closing(summary));
                self.console.line(&closing);
            }
            // Shown with the next tick.
            Event::Listed { .. }
            | Event::Started { .. }
            | Event::Placed(_)
            | Event::Peer(_)
            | Event::Sending { .. } => {}
        }
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, _now: Instant) {
        self.draw();
    }
}
