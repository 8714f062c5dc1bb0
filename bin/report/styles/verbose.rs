//! V8's `verbose`, a line a test, and `ci`, which says little but keeps a bot from giving up on it.

use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome, RunStatus, RunningTest, TestReport};

use crate::format;
use crate::report::shared::closing;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;
use crate::report::shared::failure;

/// After this long without a line, `verbose` says what is running.
const VERBOSE_SILENCE: Duration = Duration::from_secs(30);
/// After this long without a line, `ci` prints the time.
const CI_SILENCE: Duration = Duration::from_secs(60);

/// A line a test, or a sign of life a minute; failures at the end.
pub struct Verbose {
    console: Console,
    context: Context,
    quiet: bool,
    /// When a line was written last, since the run's start.
    last: Duration,
    failures: Vec<u8>,
}

impl Verbose {
    /// Writes to `console`; `quiet` makes it `ci`.
    pub fn new(console: Console, context: Context, quiet: bool) -> Self {
        Self { console, context, quiet, last: Duration::ZERO, failures: Vec::new() }
    }

    fn line(&mut self, text: &str, now: Duration) {
        self.console.line(text);
        self.last = now;
    }
}

impl Reporter for Verbose {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => {
                self.failures.extend(failure::blocks(report, &self.context, &self.console));
                if !self.quiet {
                    self.line(&line(report), event.elapsed);
                }
            }
            EventKind::Again(report) if !self.quiet => {
                self.line(&format!("{}; it is run again", line(report)), event.elapsed);
            }
            EventKind::Stopping(reason) => self.line(closing::stopping(*reason), event.elapsed),
            EventKind::Notice(text) => self.line(text, event.elapsed),
            EventKind::RunFinished(end) => {
                self.line("", event.elapsed);
                self.console.write(&self.failures);
                closing::close(&mut self.console, end);
            }
            EventKind::Again(_)
            | EventKind::RunStarted(_)
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
        let silence = status.elapsed.saturating_sub(self.last);
        if self.quiet && silence >= CI_SILENCE {
            self.line(&format::time(status.at), status.elapsed);
        } else if !self.quiet && silence >= VERBOSE_SILENCE {
            let mut text = String::from("Still working:");
            for RunningTest { name, since } in &status.running {
                let age = status.elapsed.saturating_sub(*since).as_secs();
                text.push_str(&format!("\n  {name} for {age} s"));
            }
            self.line(&text, status.elapsed);
        }
    }
}

/// `mjsunit/a default: pass`; of a test that ran several times all attempts, as in V8 since 9.3: `mjsunit/a default: FAIL
/// PASS`.
pub fn line(report: &TestReport) -> String {
    let word = |attempt: &TestReport, pass| match attempt.outcome {
        _ if attempt.as_expected => pass,
        Outcome::Crash => "CRASH",
        Outcome::Timeout => "TIMEOUT",
        Outcome::Fail | Outcome::Pass => "FAIL",
    };
    let verdict = match report.earlier.is_empty() {
        true => word(report, "pass").to_owned(),
        false => report.attempts().map(|attempt| word(attempt, "PASS")).collect::<Vec<_>>().join(" "),
    };
    let place = report.place.peer().map(|peer| format!(" (on {peer})")).unwrap_or_default();
    format!("{} {}: {verdict}{place}", report.name.path(), report.name.variant_and_detail())
}
