//! test262: how many tests an engine passes, by area and by edition. Printed at the end, and written by `--conformance`.

use std::collections::BTreeMap;

use flotilla_actors::Reporter;
use flotilla_messages::{CaseId, Event, EventKind, Outcome, TestReport};
use flotilla_suites::{Edition, Hints, Labels, area};
use serde::Serialize;

use crate::report::files::file::ReportFile;
use crate::report::shared::console::Console;

/// What knows what tests are about.
pub type Lookup = Box<dyn Fn(CaseId) -> Option<Labels>>;

/// Tests passed, of those that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Score {
    passed: u64,
    tests: u64,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.tests += other.tests;
    }

    /// In percent, rounded down: nothing but all is 100.
    fn percent(self) -> String {
        let tenths = (self.passed * 1000).checked_div(self.tests).unwrap_or_default();
        format!("{}.{} %", tenths / 10, tenths % 10)
    }
}

/// The counts of a run.
#[derive(Debug, Default)]
struct Scores {
    /// By file, since a test that runs strict and sloppy passes if it passes both: where it is counted, and whether all
    /// its runs passed so far.
    files: BTreeMap<String, File>,
    /// Areas, in order of first mention.
    areas: Vec<String>,
}

#[derive(Debug)]
struct File {
    area: usize,
    edition: Edition,
    passed: bool,
}

impl Scores {
    /// Counts one run of a test. What the engine did counts, whatever was expected of it.
    fn note(&mut self, file: &str, (area, edition): (&str, Edition), outcome: Outcome) {
        let passed = outcome == Outcome::Pass;
        if let Some(file) = self.files.get_mut(file) {
            file.passed &= passed;
            return;
        }
        let area = self.areas.iter().position(|known| known == area).unwrap_or_else(|| {
            self.areas.push(area.to_owned());
            self.areas.len() - 1
        });
        self.files.insert(file.to_owned(), File { area, edition, passed });
    }

    /// All tests, by what `key` says of them.
    fn by<K: Ord>(&self, key: impl Fn(&File) -> Option<K>) -> BTreeMap<K, Score> {
        let mut scores: BTreeMap<K, Score> = BTreeMap::new();
        for file in self.files.values() {
            let score = Score { passed: u64::from(file.passed), tests: 1 };
            if let Some(key) = key(file) {
                scores.entry(key).or_default().add(score);
            }
        }
        scores
    }

    /// Scores of the areas, as many levels deep as given.
    fn areas(&self, levels: usize) -> BTreeMap<String, Score> {
        self.by(|file| {
            let area = self.areas.get(file.area)?;
            Some(area.split('/').take(levels).collect::<Vec<_>>().join("/"))
        })
    }

    fn editions(&self) -> BTreeMap<Edition, Score> {
        self.by(|file| Some(file.edition))
    }

    fn total(&self) -> Score {
        self.by(|_| Some(())).remove(&()).unwrap_or_default()
    }

    /// Two tables of Markdown, which read well as they are.
    fn tables(&self, levels: usize) -> String {
        let mut areas: Vec<(String, Score)> = self.areas(levels).into_iter().collect();
        areas.push(("all".into(), self.total()));
        let editions: Vec<(String, Score)> =
            self.editions().into_iter().map(|(edition, score)| (edition.to_string(), score)).collect();
        format!("{}\n{}", table("area", &areas), table("edition", &editions))
    }

    fn json(&self) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct ConformanceJson {
            total: Score,
            areas: BTreeMap<String, Score>,
            editions: BTreeMap<String, Score>,
        }
        let mut areas = self.areas(1);
        areas.extend(self.areas(2));
        let editions = self.editions().into_iter().map(|(edition, score)| (edition.to_string(), score));
        let document = ConformanceJson { total: self.total(), areas, editions: editions.collect() };
        serde_json::to_vec_pretty(&document)
    }
}

/// One table, its columns aligned.
fn table(title: &str, rows: &[(String, Score)]) -> String {
    let width =
        rows.iter().map(|(name, _)| name.chars().count()).chain([title.len()]).max().unwrap_or_default();
    let mut text = format!("| {title:<width$} | passed |  tests |         |\n");
    text.push_str(&format!("|{:-<1$}|-------:|-------:|--------:|\n", "", width + 2));
    for (name, score) in rows {
        let percent = score.percent();
        text.push_str(&format!(
            "| {name:<width$} | {:>6} | {:>6} | {percent:>7} |\n",
            score.passed, score.tests
        ));
    }
    text
}

/// Counts while the run goes on.
pub struct Conformance {
    console: Console,
    file: Option<ReportFile>,
    lookup: Lookup,
    /// Features that are no part of the standard.
    proposed: Vec<String>,
    scores: Scores,
}

impl Conformance {
    /// Prints to `console`, and writes `file`, as JSON if it is called so, else as Markdown.
    pub fn new(console: Console, file: Option<ReportFile>, lookup: Lookup, proposed: Vec<String>) -> Self {
        Self { console, file, lookup, proposed, scores: Scores::default() }
    }

    fn note(&mut self, report: &TestReport) {
        // A test that cannot be read is one that does not pass.
        let unread = || Labels { area: area(&report.name.name).into(), ..Labels::default() };
        let labels = (self.lookup)(report.test).unwrap_or_else(unread);
        let hints = Hints {
            features: &labels.features,
            since_2015: labels.esid.is_some()
                || labels.es6id.is_some()
                || report.name.detail.as_deref() == Some("module"),
            intl: labels.area.starts_with("intl402"),
        };
        let edition = Edition::of(hints, &self.proposed);
        self.scores.note(&report.name.name, (&labels.area, edition), report.outcome);
    }

    fn write(&mut self) {
        let Some(file) = &self.file else { return };
        let bytes = match file.is_called("json") {
            true => self.scores.json().unwrap_or_default(),
            false => self.scores.tables(2).into_bytes(),
        };
        if let Err(error) = file.write(&bytes) {
            self.console.line(&error.to_string());
        }
    }
}

impl Reporter for Conformance {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => self.note(report),
            EventKind::RunFinished(_) if self.scores.total().tests > 0 => {
                self.console.write(self.scores.tables(1).as_bytes());
                self.write();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(runs: &[(u8, &str, Edition, Outcome)]) -> Scores {
        let mut scores = Scores::default();
        for (file, area, edition, outcome) in runs {
            scores.note(&file.to_string(), (area, *edition), *outcome);
        }
        scores
    }

    #[test]
    fn a_test_passes_if_all_its_runs_do() {
        let scores = scores(&[
            (1, "built-ins/Array", Edition::Es5, Outcome::Pass),
            (1, "built-ins/Array", Edition::Es5, Outcome::Fail),
            (2, "built-ins/Map", Edition::Year(2015), Outcome::Pass),
            (2, "built-ins/Map", Edition::Year(2015), Outcome::Pass),
            (3, "language/types", Edition::Newer, Outcome::Timeout),
        ]);
        assert_eq!(scores.total(), Score { passed: 1, tests: 3 });
        assert_eq!(
            scores.tables(1),
            "| area      | passed |  tests |         |\n\
             |-----------|-------:|-------:|--------:|\n\
             | built-ins |      1 |      2 |  50.0 % |\n\
             | language  |      0 |      1 |   0.0 % |\n\
             | all       |      1 |      3 |  33.3 % |\n\
             \n\
             | edition | passed |  tests |         |\n\
             |---------|-------:|-------:|--------:|\n\
             | ES5     |      0 |      1 |   0.0 % |\n\
             | ES2015  |      1 |      1 | 100.0 % |\n\
             | newer   |      0 |      1 |   0.0 % |\n"
        );
        let json: serde_json::Value = serde_json::from_slice(&scores.json().unwrap()).unwrap();
        assert_eq!(json["areas"]["built-ins/Map"]["passed"], 1);
        assert_eq!(json["areas"]["built-ins"]["tests"], 2);
    }

    #[test]
    fn what_is_not_all_is_not_a_hundred_percent() {
        assert_eq!(Score { passed: 49_999, tests: 50_000 }.percent(), "99.9 %");
        assert_eq!(Score { passed: 2, tests: 2 }.percent(), "100.0 %");
    }
}
