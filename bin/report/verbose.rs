//! V8's `verbose`, a line a test, and `ci`, which says little but keeps a bot from giving up on it.

use std::time::{Duration, Instant};

use chrono::Utc;
use flotilla_actors::Reporter;
use flotilla_messages::{Event, Outcome, TestReport};

use super::console::Console;
use super::context::Context;
use super::failure;
use super::running::Running;
use super::tally::{self, Tally};

/// After this long without a line, `verbose` says what is running.
const VERBOSE_SILENCE: Duration = Duration::from_secs(30);
/// After this long without a line, `ci` prints the time.
const CI_SILENCE: Duration = Duration::from_secs(60);

/// A line a test, or a sign of life a minute; failures at the end.
pub struct Verbose {
    console: Console,
    context: Context,
    quiet: bool,
    last: Instant,
    tally: Tally,
    running: Running,
    failures: Vec<u8>,
}

impl Verbose {
    /// Writes to `console`; `quiet` makes it `ci`.
    pub fn new(console: Console, context: Context, quiet: bool) -> Self {
        Self {
            console,
            context,
            quiet,
            last: Instant::now(),
            tally: Tally::default(),
            running: Running::default(),
            failures: Vec::new(),
        }
    }

    fn line(&mut self, text: &str) {
        self.console.line(text);
        self.last = Instant::now();
    }
}

impl Reporter for Verbose {
    fn event(&mut self, event: &Event) {
        self.tally.note(event);
        self.running.note(event);
        match event {
            Event::Finished(report) => {
                self.failures.extend(failure::blocks(report, &self.context, &self.console));
                if !self.quiet {
                    self.line(&line(report));
                }
            }
            Event::Again(report) if !self.quiet => {
                self.line(&format!("{}; it is run again", line(report)));
            }
            Event::Stopping(reason) => self.line(tally::stopping(*reason)),
            Event::Notice(text) => self.line(text),
            Event::RunFinished(summary) => {
                self.line("");
                self.console.write(&self.failures);
                self.tally.close(&mut self.console, summary);
            }
            Event::Again(_)
            | Event::Listed { .. }
            | Event::Started { .. }
            | Event::Placed(_)
            | Event::Peer(_)
            | Event::Sending { .. } => {}
        }
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, now: Instant) {
        let silence = now.saturating_duration_since(self.last);
        if self.quiet && silence >= CI_SILENCE {
            self.line(&Utc::now().format("%Y-%m-%d %H:%M:%S").to_string());
        } else if !self.quiet && silence >= VERBOSE_SILENCE {
            let mut text = String::from("Still working:");
            for (name, since) in self.running.tests() {
                let age = now.saturating_duration_since(*since).as_secs();
                text.push_str(&format!("\n  {name} for {age} s"));
            }
            self.line(&text);
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
