//! `--flakiness-results`: what each attempt at each test came to, in Chromium's JSON test results format, version 3, as
//! V8's own runner wrote it (its FlakinessTestProgressIndicator): flat, with `suite/name variant` for a name.

use std::collections::BTreeMap;
use std::time::SystemTime;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome, StopReason, TestReport};
use serde::Serialize;

use super::file::ReportFile;
use crate::report::shared::failure;

/// Collects and writes the results.
pub struct Flakiness {
    file: ReportFile,
    /// When the run was started.
    begun: SystemTime,
    tests: BTreeMap<String, Test>,
    /// Tests by the outcome that counts.
    summary: BTreeMap<&'static str, u64>,
    interrupted: bool,
}

#[derive(Serialize)]
struct Test {
    /// The outcomes of all attempts, in order, with spaces between them.
    actual: String,
    /// The expected ones.
    expected: String,
    /// Seconds, of each attempt.
    times: Vec<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_unexpected: bool,
    /// Our own addition.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_flaky: bool,
}

#[derive(Serialize)]
struct FlakinessJson<'a> {
    interrupted: bool,
    num_failures_by_type: &'a BTreeMap<&'static str, u64>,
    path_delimiter: char,
    seconds_since_epoch: f64,
    tests: &'a BTreeMap<String, Test>,
    version: u32,
}

impl Flakiness {
    /// Writes to `file` at the run's end.
    pub fn new(file: ReportFile) -> Self {
        let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Crash, Outcome::Timeout];
        let summary = outcomes.map(|outcome| (outcome.as_str(), 0)).into();
        Self { file, begun: SystemTime::UNIX_EPOCH, tests: BTreeMap::new(), summary, interrupted: false }
    }

    fn note(&mut self, report: &TestReport) {
        let outcomes: Vec<&str> = report.attempts().map(|attempt| attempt.outcome.as_str()).collect();
        *self.summary.entry(report.outcome.as_str()).or_default() += 1;
        let test = Test {
            actual: outcomes.join(" "),
            expected: match &report.case {
                Some(case) => failure::names(&case.expectation.outcomes).replace(" or ", " "),
                None => Outcome::Pass.as_str().to_owned(),
            },
            times: report.attempts().map(|attempt| attempt.duration().as_secs_f64()).collect(),
            is_unexpected: !report.as_expected,
            is_flaky: report.flaky(),
        };
        self.tests.insert(format!("{} {}", report.name.path(), report.name.variant_and_detail()), test);
    }

    fn write(&self) {
        let begun = self.begun.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let document = FlakinessJson {
            interrupted: self.interrupted,
            num_failures_by_type: &self.summary,
            path_delimiter: '/',
            seconds_since_epoch: begun.as_secs_f64(),
            tests: &self.tests,
            version: 3,
        };
        match serde_json::to_vec(&document) {
            Ok(bytes) => {
                if let Err(error) = self.file.write(&bytes) {
                    notice!("runner: {error}");
                }
            }
            Err(error) => notice!("runner: cannot make the flakiness results: {error}"),
        }
    }
}

impl Reporter for Flakiness {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted(_) => self.begun = event.at,
            EventKind::Finished(report) => self.note(report),
            EventKind::RunFinished(end) => {
                let by = [StopReason::Interrupted, StopReason::Terminated];
                self.interrupted = end.summary.stopped.is_some_and(|reason| by.contains(&reason));
                self.write();
            }
            _ => {}
        }
    }
}
