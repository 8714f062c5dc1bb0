//! A difference as text and as JSON.

use std::fmt::Display;

use super::compare::{Before, Difference};

/// How many tests a list names that needs no action.
const MAX_NAMED: usize = 20;

impl Difference {
    /// The difference as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let failing = self.newly_failing.iter().map(|one| {
            let before = match one.before {
                Before::Passed => "it passed",
                Before::NotRun => "it did not run",
                Before::PassedOrNotRun => "it passed or did not run",
            };
            format!("{}: {} ({before})", one.test, one.now)
        });
        section(&mut text, "newly failing", failing, usize::MAX);
        let passing = self.newly_passing.iter().map(|one| format!("{}: it was {}", one.test, one.before));
        section(&mut text, "newly passing", passing, usize::MAX);
        let either = self.passing_or_not_run.iter().map(|one| format!("{}: it was {}", one.test, one.before));
        section(&mut text, "passing or not run any more", either, usize::MAX);
        section(&mut text, "flaky", self.flaky.iter().map(ToString::to_string), usize::MAX);
        let otherwise: Vec<String> = self
            .still_failing
            .iter()
            .filter(|one| one.before != one.now)
            .map(|one| format!("{}: {}, it was {}", one.test, one.now, one.before))
            .collect();
        if !self.still_failing.is_empty() {
            let tail = if otherwise.is_empty() { "." } else { ", of which otherwise:" };
            line(&mut text, &format!("{} still failing{tail}", self.still_failing.len()));
            otherwise.iter().for_each(|one| line(&mut text, &format!("  {one}")));
        }
        section(&mut text, "not run any more", self.not_run_any_more.iter(), MAX_NAMED);
        section(&mut text, "new", self.new_tests.iter(), MAX_NAMED);
        if text.is_empty() {
            line(&mut text, "No difference.");
        }
        for unknown in &self.unknown {
            line(&mut text, &format!("Note: {unknown}."));
        }
        text
    }

    /// The difference as one JSON object.
    pub fn json(&self) -> String {
        // Cannot fail: strings in lists only.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Adds `3 WHAT:` and one line for each test, at most `limit` of them; nothing if there are none.
fn section<T: Display>(text: &mut String, what: &str, tests: impl ExactSizeIterator<Item = T>, limit: usize) {
    let count = tests.len();
    if count == 0 {
        return;
    }
    line(text, &format!("{count} {what}:"));
    for test in tests.take(limit) {
        line(text, &format!("  {test}"));
    }
    if count > limit {
        line(text, &format!("  ... and {} more (--json has all)", count - limit));
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
