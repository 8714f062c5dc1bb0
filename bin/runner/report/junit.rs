//! `--junitout`: JUnit XML with every test that has a verdict.

use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, Outcome, TestReport};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::context::Context;
use super::failure;
use super::file::ReportFile;

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
        if let Some(output) = report.output.as_ref().filter(|_| !report.as_expected) {
            for (captured, stdout) in [(&output.stdout, true), (&output.stderr, false)] {
                let mut text = captured.text().into_owned();
                if captured.cut() > 0 {
                    text.push('\n');
                    text.push_str(&failure::cut_note(captured));
                }
                if stdout {
                    case.set_system_out(text)
                } else {
                    case.set_system_err(text)
                };
            }
        }
        case
    }

    fn status(&self, report: &TestReport) -> TestCaseStatus {
        if report.as_expected {
            return TestCaseStatus::success();
        }
        let kind = match (report.outcome, &report.output) {
            (Outcome::Crash | Outcome::Timeout, _) | (_, None) => NonSuccessKind::Error,
            (Outcome::Fail | Outcome::Pass, _) => NonSuccessKind::Failure,
        };
        let mut status = TestCaseStatus::non_success(kind);
        let text = failure::expectation(report);
        status.set_type(report.outcome.as_str()).set_message(text.as_str());
        if let Some(case) = &report.case {
            let command = self.context.command(case);
            status.set_description(format!("{text}\nCommand: {}", String::from_utf8_lossy(&command)));
        }
        status
    }
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Finished(report) => {
                let case = self.case(report);
                self.suite.add_test_case(case);
            }
            Event::RunFinished(summary) => {
                let name = self.suite.name.clone();
                let mut suite = std::mem::replace(&mut self.suite, TestSuite::new(name.clone()));
                suite.set_time(summary.elapsed);
                let mut report = Report::new(name);
                report.set_time(summary.elapsed).add_test_suite(suite);
                let mut bytes = Vec::new();
                match report.serialize(&mut bytes) {
                    Ok(()) => {
                        if let Err(error) = self.file.write(&bytes) {
                            eprintln!("runner: {error}");
                        }
                    }
                    Err(error) => eprintln!("runner: cannot make the JUnit report: {error}"),
                }
            }
            _ => {}
        }
    }
}
