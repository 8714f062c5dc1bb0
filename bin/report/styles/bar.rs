//! The default on a terminal: a bar with counts, time left and the tests that run.

use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, RunStats, RunStatus, RunningTest};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::format;
use crate::report::shared::closing;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;
use crate::report::shared::failure;
use crate::report::shared::sending::Sending;

/// How many running tests are named.
const NAMED: usize = 3;
/// A test that runs longer is shown with its time.
const LONG: Duration = Duration::from_secs(5);

/// The bar.
pub struct Bar {
    console: Console,
    context: Context,
    bar: ProgressBar,
    /// How long the rest of the run will take.
    left: fn(&ProgressBar) -> Duration,
    sending: Sending,
    failed: Vec<String>,
}

impl Bar {
    /// Draws on standard output, which is a terminal, and writes whole lines to `console`.
    pub fn new(console: Console, context: Context) -> Self {
        Self::on(ProgressDrawTarget::stdout_with_hz(10), ProgressBar::eta, console, context)
    }

    /// Draws on `target`; `left` says how long the rest of the run will take.
    pub(in crate::report) fn on(
        target: ProgressDrawTarget,
        left: fn(&ProgressBar) -> Duration,
        console: Console,
        context: Context,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let template = if console.color() {
            "{elapsed_precise} {bar:30.cyan} {prefix} {wide_msg:.dim}"
        } else {
            "{elapsed_precise} {bar:30} {prefix} {wide_msg}"
        };
        // The template is a constant; should it ever be wrong, indicatif's own look is good enough.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let (sending, failed) = (Sending::default(), Vec::new());
        Self { console, context, bar, left, sending, failed }
    }

    fn print(&mut self, bytes: &[u8]) {
        let console = &mut self.console;
        self.bar.suspend(|| console.write(bytes));
    }

    fn draw(&mut self, status: &RunStatus) {
        self.bar.set_length(status.stats.listed);
        self.bar.set_position(status.stats.counts.finished());
        self.bar.set_elapsed(status.elapsed);
        self.bar.set_prefix(self.counts(&status.stats));
        let mut message = names(&status.running, status.elapsed);
        if let Some(sending) = self.sending.line() {
            message = if message.is_empty() { sending } else { format!("{message}; {sending}") };
        }
        self.bar.set_message(message);
        self.bar.tick();
    }

    fn counts(&self, stats: &RunStats) -> String {
        let (finished, unexpected) = (stats.counts.finished(), stats.counts.unexpected);
        let more = if stats.listing_complete { "" } else { "+" };
        let mut text = format!("{finished}/{}{more}", stats.listed);
        if unexpected > 0 {
            let failed = self.console.styled("31", &format!("{unexpected} unexpected"));
            text.push_str(&format!(", {failed}"));
        }
        if stats.listing_complete && finished > 0 {
            text.push_str(&format!(", {} left", format::seconds((self.left)(&self.bar))));
        }
        text
    }
}

/// The tests that have run longest, with how long if that is worth telling.
fn names(running: &[RunningTest], now: Duration) -> String {
    let mut running: Vec<&RunningTest> = running.iter().collect();
    running.sort_by_key(|test| test.since);
    let named: Vec<String> = running
        .iter()
        .take(NAMED)
        .map(|RunningTest { name, since }| match now.saturating_sub(*since) {
            age if age > LONG => format!("{name} {} s", age.as_secs()),
            _ => name.to_string(),
        })
        .collect();
    let others = match running.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{others}", named.join(", "))
}

impl Reporter for Bar {
    fn event(&mut self, event: &Event) {
        self.sending.note(&event.kind);
        match &event.kind {
            EventKind::Finished(report) => {
                if !report.as_expected
                    && let Some(block) = failure::paragraph(report, &self.context, &self.console)
                {
                    self.print(&block);
                    self.failed.push(closing::failed_line(report));
                }
            }
            EventKind::Again(report) => {
                let mut block = failure::rerun(report, &self.context, &self.console);
                block.push(b'\n');
                self.print(&block);
            }
            EventKind::Stopping(reason) => self.print(format!("{}\n", closing::stopping(*reason)).as_bytes()),
            EventKind::Notice(text) => self.print(format!("{text}\n").as_bytes()),
            EventKind::RunFinished(end) => {
                self.bar.finish_and_clear();
                for line in &self.failed {
                    self.console.line(line);
                }
                for test in &end.flaky {
                    self.console.line(&closing::flaky_line(test));
                }
                if let Some(places) = closing::places(end) {
                    self.console.line(&places);
                }
                let style = if self.failed.is_empty() { "32" } else { "1;31" };
                let closing = self.console.styled(style, &closing::closing(&end.summary));
                self.console.line(&closing);
            }
            // Shown with the next tick.
            EventKind::RunStarted(_)
            | EventKind::Listed { .. }
            | EventKind::Started { .. }
            | EventKind::Placed(_)
            | EventKind::Peer(_)
            | EventKind::Sending { .. } => {}
        }
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, status: &RunStatus) {
        self.draw(status);
    }
}
