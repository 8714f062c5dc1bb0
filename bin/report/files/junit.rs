//! `--junitout`: JUnit XML with every test that has a verdict.

use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_messages::{Captured, Event, EventKind, Outcome, TestReport};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::file::ReportFile;
use crate::report::shared::context::Context;
use crate::report::shared::failure;

/// Collects and writes the results.
pub struct Junit {
    file: ReportFile,
    context: Context,
    suite: TestSuite,
}

impl Junit {
    /// Writes to `file` at the run's end; `name` is the test suite's.
    pub fn new(file: ReportFile, name: &str, context: Context) -> Self {
        Self { file, context, suite: TestSuite::new(name) }
    }

    fn case(&self, report: &TestReport) -> TestCase {
        let mut case = TestCase::new(report.name.to_string(), self.status(report));
        case.set_classname(report.name.suite.as_str());
        case.set_time(report.duration());
        if let Some(peer) = report.place.peer() {
            case.add_property(("peer", peer));
        }
        // `time` is the run alone.
        let seconds = |duration: Duration| format!("{:.6}", duration.as_secs_f64());
        case.add_property(("attempt", report.attempt.to_string().as_str()));
        case.add_property(("queued", seconds(report.times.queued).as_str()));
        case.add_property(("transfer", seconds(report.times.transfer).as_str()));
        if let Some(peer) = &report.differs_on {
            case.add_property(("differs_on", peer.as_str()));
        }
        // The first one: the others are its reruns.
        let failed = report.attempts().next().filter(|_| !report.as_expected);
        if let Some((out, err)) = failed.and_then(streams) {
            case.set_system_out(out).set_system_err(err);
        }
        case
    }

    /// As Maven's surefire has it: of a test that passed in the end, `flakyFailure`s; of one that never did, the first
    /// `failure` and its `rerunFailure`s.
    fn status(&self, report: &TestReport) -> TestCaseStatus {
        let mut failed = report.attempts().filter(|attempt| !attempt.as_expected);
        if report.as_expected {
            let mut status = TestCaseStatus::success();
            status.add_reruns(failed.map(|attempt| self.rerun(attempt)));
            return status;
        }
        let first = failed.next().unwrap_or(report);
        let mut status = TestCaseStatus::non_success(kind(first));
        let text = failure::expectation(first);
        status.set_type(first.outcome.as_str()).set_message(text.as_str());
        if let Some(described) = self.described(first, &text) {
            status.set_description(described);
        }
        status.add_reruns(failed.map(|attempt| self.rerun(attempt)));
        status
    }

    fn rerun(&self, attempt: &TestReport) -> TestRerun {
        let mut rerun = TestRerun::new(kind(attempt));
        let text = failure::expectation(attempt);
        rerun.set_type(attempt.outcome.as_str()).set_message(text.as_str()).set_time(attempt.duration());
        rerun.set_stack_trace(self.described(attempt, &text).unwrap_or(text));
        if let Some((out, err)) = streams(attempt) {
            rerun.set_system_out(out).set_system_err(err);
        }
        rerun
    }

    /// What is wrong, and the command that shows it.
    fn described(&self, report: &TestReport, text: &str) -> Option<String> {
        let command = self.context.command(report.case.as_ref()?);
        Some(format!("{text}\nCommand: {}", String::from_utf8_lossy(&command)))
    }
}

fn kind(report: &TestReport) -> NonSuccessKind {
    match (report.outcome, &report.output) {
        (Outcome::Crash | Outcome::Timeout, _) | (_, None) => NonSuccessKind::Error,
        (Outcome::Fail | Outcome::Pass, _) => NonSuccessKind::Failure,
    }
}

/// What it printed: standard output and standard error.
fn streams(report: &TestReport) -> Option<(String, String)> {
    let text = |captured: &Captured| {
        let mut text = captured.text().into_owned();
        if captured.cut() > 0 {
            text.push('\n');
            text.push_str(&failure::cut_note(captured));
        }
        text
    };
    report.output.as_ref().map(|output| (text(&output.stdout), text(&output.stderr)))
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => {
                let case = self.case(report);
                self.suite.add_test_case(case);
            }
            EventKind::RunFinished(end) => {
                let name = self.suite.name.clone();
                let mut suite = std::mem::replace(&mut self.suite, TestSuite::new(name.clone()));
                suite.set_time(end.summary.elapsed);
                let mut report = Report::new(name);
                report.set_time(end.summary.elapsed).add_test_suite(suite);
                let mut bytes = Vec::new();
                match report.serialize(&mut bytes) {
                    Ok(()) => {
                        if let Err(error) = self.file.write(&bytes) {
                            notice!("runner: {error}");
                        }
                    }
                    Err(error) => notice!("runner: cannot make the JUnit report: {error}"),
                }
            }
            _ => {}
        }
    }
}
