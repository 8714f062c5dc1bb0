//! `--write-expectations`: a plain list of what did not pass, for `--expectations` of later runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome, Summary, TestReport};

use super::file::ReportFile;

/// Collects outcomes and writes the list.
pub struct Expectations {
    file: ReportFile,
    tests: BTreeMap<String, Halves>,
    /// Tests of which no process could be started: an expectation does not help them.
    unrunnable: BTreeSet<String>,
}

/// How a test ended in all of its variants, as it stands and in strict mode.
#[derive(Default)]
struct Halves {
    sloppy: BTreeSet<Outcome>,
    strict: BTreeSet<Outcome>,
}

impl Expectations {
    /// Writes to `file` at the run's end.
    pub fn new(file: ReportFile) -> Self {
        Self { file, tests: BTreeMap::new(), unrunnable: BTreeSet::new() }
    }

    fn add(&mut self, report: &TestReport) {
        let name = report.name.path();
        if report.output.is_none() {
            self.unrunnable.insert(name);
            return;
        }
        let strict = report.name.detail.as_deref().is_some_and(|detail| detail.starts_with("strict"));
        let halves = self.tests.entry(name).or_default();
        if strict { &mut halves.strict } else { &mut halves.sloppy }.insert(report.outcome);
    }

    fn text(&self, summary: &Summary) -> String {
        let mut text = String::from("# What did not pass, by runner --write-expectations.\n");
        if summary.not_run > 0 || !summary.listing_complete {
            text.push_str("# The run ended early: there may be more.\n");
        }
        for (name, halves) in &self.tests {
            for (mode, outcomes) in halves.told() {
                let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
                // Such a name would be read as several words, or as a comment.
                let apart =
                    if name.starts_with('#') || name.contains(char::is_whitespace) { "# " } else { "" };
                // It is written to a text, which cannot fail.
                let _ = writeln!(text, "{apart}{name}{mode} {}", words.join(" "));
            }
        }
        for name in &self.unrunnable {
            let _ = writeln!(text, "# cannot be run: {name}");
        }
        text
    }
}

impl Halves {
    /// What is to be told: the modes one by one only where they differ.
    fn told(&self) -> Vec<(&'static str, BTreeSet<Outcome>)> {
        let both = self.sloppy.is_empty() || self.strict.is_empty() || self.sloppy == self.strict;
        let told = match both {
            true => vec![("", self.sloppy.union(&self.strict).copied().collect())],
            false => vec![(" default", self.sloppy.clone()), (" strict", self.strict.clone())],
        };
        let only_passed =
            |outcomes: &BTreeSet<Outcome>| outcomes.iter().all(|outcome| *outcome == Outcome::Pass);
        told.into_iter().filter(|(_, outcomes)| !only_passed(outcomes)).collect()
    }
}

impl Reporter for Expectations {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => self.add(report),
            EventKind::RunFinished(end) => {
                if let Err(error) = self.file.write(self.text(&end.summary).as_bytes()) {
                    notice!("runner: {error}");
                }
            }
            _ => {}
        }
    }
}
