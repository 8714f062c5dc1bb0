//! `--log-test-schedule`: when each run of a test began and ended, a line a run, written as they end (V8 13.8 indicators.py:
//! `TestScheduleIndicator`).

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind, Outcome, TestReport};

use super::file::ReportError;

/// Writes to a file. After the first error it writes nothing more.
pub struct Schedule {
    file: Option<File>,
}

impl Schedule {
    /// Makes the file anew.
    ///
    /// # Errors
    /// [`ReportError`] when it cannot be made.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        Ok(Self { file: Some(File::create(path).map_err(|source| ReportError::new(path, source))?) })
    }
}

impl Reporter for Schedule {
    fn event(&mut self, event: &Event) {
        let (EventKind::Finished(report) | EventKind::Again(report)) = &event.kind else { return };
        let Some(line) = line(report, event.at) else { return };
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.write_all(line.as_bytes())) {
            self.file = None;
            notice!("runner: cannot write the file of --log-test-schedule: {error}; the run goes on");
        }
    }
}

/// `mjsunit/a default: FAIL (1700000000.250000:1700000001.500000)`: V8's word for the outcome, and seconds since 1970.
/// Nothing where no process ran. A peer's clock is not asked: what ran there ended when its result came.
fn line(report: &TestReport, now: SystemTime) -> Option<String> {
    let output = report.output.as_ref()?;
    let start = match output.started {
        Some(started) => started,
        None => now.checked_sub(output.duration)?,
    };
    let word = match report.outcome {
        _ if report.as_expected => "PASS",
        Outcome::Crash => "CRASH",
        Outcome::Fail | Outcome::Timeout | Outcome::Pass => "FAIL",
    };
    let (path, variant) = (report.name.path(), report.name.variant_and_detail());
    let start = start.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (start, end) = (seconds(start), seconds(start + output.duration));
    Some(format!("{path} {variant}: {word} ({start}:{end})\n"))
}

fn seconds(since: Duration) -> String {
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}

#[cfg(test)]
mod tests {
    use flotilla_messages::{Captured, CaseId, Exit, Memory, Output, Place, TestName, Times};

    use super::*;

    fn report(outcome: Outcome, as_expected: bool, started: Option<SystemTime>) -> TestReport {
        let name = TestName {
            suite: "s".into(),
            name: "d/n".into(),
            variant: "default".into(),
            detail: Some("strict".into()),
        };
        let output = Output {
            exit: Exit::Code(0),
            timed_out: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
            duration: Duration::from_millis(1250),
            memory: Memory::default(),
            started,
        };
        TestReport {
            test: CaseId(0),
            name,
            id: String::new(),
            outcome,
            as_expected,
            why: None,
            difference: None,
            case: None,
            output: Some(output),
            place: Place::Local,
            attempt: 1,
            times: Times::default(),
            differs_on: None,
            earlier: Vec::new(),
        }
    }

    #[test]
    fn a_line_says_name_outcome_start_and_end() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let line =
            |outcome, as_expected, started| line(&report(outcome, as_expected, started), at(9_000_000));
        let own = line(Outcome::Timeout, false, Some(at(1_700_000_000_250))).unwrap();
        assert_eq!(own, "s/d/n default strict: FAIL (1700000000.250000:1700000001.500000)\n");
        let peers = line(Outcome::Fail, true, None).unwrap();
        assert_eq!(peers, "s/d/n default strict: PASS (8998.750000:9000.000000)\n");
        assert!(line(Outcome::Crash, false, None).unwrap().contains(": CRASH ("));
        let nothing = TestReport { output: None, ..report(Outcome::Fail, false, None) };
        assert_eq!(super::line(&nothing, at(0)), None);
    }
}
