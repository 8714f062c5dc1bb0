//! What progress displays count, and how a run's end reads.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_messages::{Event, StopReason, Summary, TestReport};

use super::failure;

/// Counts kept along the events.
#[derive(Debug, Default)]
pub struct Tally {
    /// Tests known so far.
    pub listed: u64,
    /// Whether that is all.
    pub complete: bool,
    /// As expected.
    pub passed: u64,
    /// Unexpected.
    pub failed: u64,
    /// Tests with a verdict, by the peer they ran on.
    places: BTreeMap<String, u64>,
}

impl Tally {
    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        if let Event::Finished(report) = event
            && let Some(name) = report.place.peer()
        {
            match self.places.get_mut(name) {
                Some(tests) => *tests += 1,
                None => drop(self.places.insert(name.to_owned(), 1)),
            }
        }
        match event {
            Event::Listed { tests, complete } => {
                self.listed = *tests;
                self.complete = *complete;
            }
            Event::Finished(report) if report.as_expected => self.passed += 1,
            Event::Finished(_) => self.failed += 1,
            _ => {}
        }
    }

    /// Tests with a verdict.
    pub fn finished(&self) -> u64 {
        self.passed + self.failed
    }

    /// `12 tests ran on this machine, 30 on 10.0.0.7`; nothing if all ran here.
    pub fn places(&self) -> Option<String> {
        if self.places.is_empty() {
            return None;
        }
        let here = self.finished() - self.places.values().sum::<u64>();
        let there = self.places.iter().map(|(name, tests)| format!(", {tests} on {name}"));
        Some(format!("{here} tests ran on this machine{}.", there.collect::<String>()))
    }

    /// Share of the known tests that have a verdict, in percent.
    pub fn percent(&self) -> u64 {
        (self.finished() * 100).checked_div(self.listed.max(self.finished())).unwrap_or(0)
    }
}

/// Why the run stops early, as a sentence.
pub fn stopping(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Interrupted => "Interrupted: ending the running tests (once more to kill them at once).",
        StopReason::Terminated => "Terminated: ending the running tests.",
        StopReason::TooManyFailures => "Too many failures, exiting (--exit-after-n-failures).",
    }
}

/// The run's end in a few lines.
pub fn closing(summary: &Summary) -> String {
    let counts = summary.counts;
    let elapsed = seconds(summary.elapsed);
    let ran = match counts.finished() {
        1 => "1 test".to_owned(),
        n => format!("{n} tests"),
    };
    let mut text = match (counts.unexpected, counts.finished()) {
        (_, 0) => format!("No tests ran ({elapsed})."),
        (0, _) => format!("{ran} ran in {elapsed}: all as expected."),
        (unexpected, _) => {
            let kinds: Vec<String> = [(counts.crashed, "crashed"), (counts.timed_out, "timed out")]
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, kind)| format!("{n} {kind}"))
                .collect();
            let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
            format!("{ran} ran in {elapsed}: {unexpected} unexpected{kinds}.")
        }
    };
    if summary.stopped.is_some() {
        let more = if summary.listing_complete { "" } else { " or more" };
        text.push_str(&format!("\nThe run ended early: {}{more} tests have no verdict.", summary.not_run));
    }
    text
}

/// One failure in the list at a run's end.
pub fn failed_line(report: &TestReport) -> String {
    let expected = failure::expectation(report);
    format!("  {}: {}", report.name, expected.lines().next().unwrap_or_default())
}

/// `0.42 s`, `12.3 s`, `3 min 20 s`.
pub fn seconds(duration: Duration) -> String {
    let secs = duration.as_secs_f64();
    match secs {
        secs if secs < 9.995 => format!("{secs:.2} s"),
        secs if secs < 59.95 => format!("{secs:.1} s"),
        _ => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    use flotilla_messages::Counts;

    use super::*;

    #[test]
    fn a_run_is_summed_up_in_words() {
        let mut summary = Summary {
            counts: Counts { expected: 5, unexpected: 0, crashed: 0, timed_out: 0 },
            not_run: 0,
            listing_complete: true,
            stopped: None,
            elapsed: Duration::from_millis(420),
        };
        assert_eq!(closing(&summary), "5 tests ran in 0.42 s: all as expected.");
        summary.counts = Counts { expected: 5, unexpected: 2, crashed: 1, timed_out: 0 };
        summary.stopped = Some(StopReason::Interrupted);
        summary.not_run = 7;
        assert_eq!(
            closing(&summary),
            "7 tests ran in 0.42 s: 2 unexpected (1 crashed).\nThe run ended early: 7 tests have no verdict."
        );
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(5)), "0.01 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(200)), "3 min 20 s");
    }
}
