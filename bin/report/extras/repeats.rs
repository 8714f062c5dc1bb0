//! `--stress` and `--random-seed-stress-count`: how often each test failed of how often it ran.

use std::collections::BTreeMap;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome, TestReport};
use flotilla_suites::Repeats as Repeating;

use crate::report::shared::console::Console;

/// Seeds that are named for one test.
const SEEDS: usize = 10;

/// Counts, and prints them at the end.
pub struct Repeats {
    console: Console,
    repeating: Repeating,
    tests: BTreeMap<String, Counted>,
}

/// The runs of one test.
#[derive(Default)]
struct Counted {
    runs: u64,
    /// What makes a line; nothing while all are as expected.
    failed: Option<Failed>,
}

/// Those that were not as expected.
#[derive(Default)]
struct Failed {
    name: String,
    outcomes: BTreeMap<&'static str, u64>,
    seeds: Vec<i64>,
}

impl Repeats {
    /// Writes to `console`.
    pub fn new(console: Console, repeating: Repeating) -> Self {
        Self { console, repeating, tests: BTreeMap::new() }
    }

    fn note(&mut self, report: &TestReport) {
        let counted = match self.tests.get_mut(&report.id) {
            Some(counted) => counted,
            None => self.tests.entry(report.id.clone()).or_default(),
        };
        counted.runs += 1;
        if report.as_expected {
            return;
        }
        let shared = || self.repeating.shared_name(&report.name).to_string();
        let failed = counted.failed.get_or_insert_with(|| Failed { name: shared(), ..Failed::default() });
        *failed.outcomes.entry(word(report.outcome)).or_default() += 1;
        let seeded = self.repeating.has_seeds();
        if let Some(seed) = report.case.as_ref().and_then(|case| case.random_seed).filter(|_| seeded) {
            failed.seeds.push(seed);
        }
    }

    /// The lines, those that failed most often first.
    fn lines(&self) -> Vec<String> {
        let with_failures =
            self.tests.values().filter_map(|counted| Some((counted.runs, counted.failed.as_ref()?)));
        let mut lines: Vec<(u64, &str, String)> = with_failures
            .map(|(runs, failed)| {
                let count = failed.outcomes.values().sum();
                let kinds: Vec<String> =
                    failed.outcomes.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
                let mut text =
                    format!("  {}: {count} of {runs} unexpected: {}", failed.name, kinds.join(", "));
                if !failed.seeds.is_empty() {
                    let named: Vec<String> = failed.seeds.iter().take(SEEDS).map(i64::to_string).collect();
                    let more = failed.seeds.len().saturating_sub(SEEDS);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    text.push_str(&format!("; with --random-seed {}{more}", named.join(", ")));
                }
                (count, failed.name.as_str(), text)
            })
            .collect();
        lines.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        let clean = self.tests.values().filter(|counted| counted.failed.is_none()).count();
        let mut texts: Vec<String> = lines.into_iter().map(|(_, _, text)| text).collect();
        match (clean, texts.len()) {
            (0, _) => {}
            (1, _) => texts.push("  1 test ended as expected each time.".into()),
            (clean, _) => texts.push(format!("  {clean} tests ended as expected each time.")),
        }
        texts
    }
}

/// An unexpected outcome in a count.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "unexpected PASS",
        other => other.as_str(),
    }
}

impl Reporter for Repeats {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => self.note(report),
            EventKind::RunFinished(_) => {
                let lines = self.lines();
                if !lines.is_empty() {
                    self.console.line("Of the runs of each test:");
                }
                for line in &lines {
                    self.console.line(line);
                }
            }
            _ => {}
        }
    }
}
