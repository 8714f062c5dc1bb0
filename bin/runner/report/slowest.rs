//! The slowest tests: part of V8's JSON results, and printed by `--time`.

use std::collections::BTreeSet;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, TestReport};
use serde::Serialize;

use super::console::Console;
use super::context::Context;

/// How many are kept, if `--slow-tests-cutoff` does not say otherwise (as in V8).
pub const CUTOFF: usize = 100;

/// One run of one test as V8's JSON has it (V8 9.2 `JsonTestProgressIndicator._test_record`).
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    name: String,
    flags: Vec<String>,
    command: String,
    run: u32,
    exit_code: Option<i32>,
    expected: Vec<&'static str>,
    duration: f64,
    random_seed: Option<i64>,
    target_name: String,
    variant: String,
    /// Our own addition: what else tells runs of one test apart: test262's half, the build, the seed or number of a
    /// repeated run.
    #[serde(skip_serializing_if = "Option::is_none")]
    subtest: Option<String>,
    variant_flags: Vec<String>,
    framework_name: &'static str,
    /// Our own addition: the peer it ran on.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// Our own addition: seconds from the lease to the process's start, where it ran. `duration` is the run alone.
    queued: f64,
    /// Our own addition: what is left of the time from the lease to the verdict if a peer ran it, else 0.
    transfer: f64,
    /// Our own addition: the peer where it had ended unexpectedly, while here it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs_on: Option<String>,
    #[serde(flatten)]
    detail: Detail,
}

/// What a failing run has, and what one of the slowest has.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// A run with an unexpected outcome.
    Failure {
        /// The outcome.
        result: &'static str,
        /// Standard output, UTF-8 with replacement.
        stdout: String,
        /// Standard error.
        stderr: String,
        /// Our own addition: what the judge or the runner has to say.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// Our own addition, of each run of a test that was flaky.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        flaky: bool,
    },
    /// One of the slowest runs.
    Slow {
        /// The outcome, empty if as expected.
        result: String,
        /// Whether a status file marks it SLOW.
        marked_slow: bool,
    },
}

impl Record {
    /// The record of a run that failed, or of one after it; `flaky`: the test passed in the end.
    pub fn failure(report: &TestReport, context: &Context, flaky: bool) -> Self {
        let text = |pick: fn(&flotilla_messages::Output) -> &flotilla_messages::Captured| {
            report.output.as_ref().map(|output| pick(output).text().into_owned()).unwrap_or_default()
        };
        let detail = Detail::Failure {
            result: report.outcome.as_str(),
            stdout: text(|output| &output.stdout),
            stderr: text(|output| &output.stderr),
            why: report.why.clone(),
            flaky,
        };
        Self::new(report, context, detail)
    }

    /// The record of one of the slowest runs.
    pub fn slow(report: &TestReport, context: &Context) -> Self {
        let detail = Detail::Slow {
            result: if report.as_expected { String::new() } else { report.outcome.as_str().into() },
            marked_slow: report.case.as_ref().is_some_and(|case| case.slow),
        };
        Self::new(report, context, detail)
    }

    fn new(report: &TestReport, context: &Context, detail: Detail) -> Self {
        let case = report.case.as_ref();
        let argv = case.map(|case| context.argv(case)).unwrap_or_default();
        let words: Vec<String> = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let program = case.map_or(0, |case| argv.len() - case.args.len());
        Self {
            name: report.name.path(),
            flags: words[program..].to_vec(),
            command: case.map(|case| command(&case.relative_argv())).unwrap_or_default(),
            run: report.attempt,
            exit_code: report.output.as_ref().map(|output| output.exit.returncode()),
            expected: case
                .map(|case| case.expectation.outcomes.iter().map(|outcome| outcome.as_str()).collect())
                .unwrap_or_default(),
            duration: report.duration().as_secs_f64(),
            random_seed: case.and_then(|case| case.random_seed),
            target_name: program
                .checked_sub(1)
                .and_then(|last| words.get(last))
                .and_then(|shell| shell.rsplit('/').next())
                .unwrap_or_default()
                .to_owned(),
            variant: report.name.variant.clone(),
            subtest: report.name.detail.clone(),
            variant_flags: case.map(|case| case.variant_flags.clone()).unwrap_or_default(),
            framework_name: "standard_runner",
            peer: report.place.peer().map(str::to_owned),
            queued: report.times.queued.as_secs_f64(),
            transfer: report.times.transfer.as_secs_f64(),
            differs_on: report.differs_on.clone(),
            detail,
        }
    }
}

/// The words as V8 shows them: in double quotes if they hold a space.
fn command(words: &[String]) -> String {
    let shown =
        words.iter().map(|word| if word.contains(' ') { format!("\"{word}\"") } else { word.clone() });
    shown.collect::<Vec<_>>().join(" ")
}

/// Keeps the slowest runs.
#[derive(Debug)]
pub struct Slowest {
    cutoff: usize,
    /// Ordered by duration; the number keeps equal durations apart, earlier ones first.
    kept: BTreeSet<(std::time::Duration, std::cmp::Reverse<u64>)>,
    records: std::collections::BTreeMap<u64, Record>,
    next: u64,
}

impl Slowest {
    /// Keeps so many.
    pub fn new(cutoff: usize) -> Self {
        Self { cutoff, kept: BTreeSet::new(), records: std::collections::BTreeMap::new(), next: 0 }
    }

    /// Takes note of all runs of a test.
    pub fn note(&mut self, report: &TestReport, context: &Context) {
        report.attempts().for_each(|attempt| self.note_run(attempt, context));
    }

    fn note_run(&mut self, report: &TestReport, context: &Context) {
        let duration = report.duration();
        let full = self.kept.len() >= self.cutoff;
        if full && self.kept.first().is_none_or(|(fastest, _)| *fastest >= duration) {
            return;
        }
        self.kept.insert((duration, std::cmp::Reverse(self.next)));
        self.records.insert(self.next, Record::slow(report, context));
        self.next += 1;
        if self.kept.len() > self.cutoff
            && let Some((_, std::cmp::Reverse(number))) = self.kept.pop_first()
        {
            self.records.remove(&number);
        }
    }

    /// The runs kept, slowest first.
    pub fn records(&self) -> Vec<&Record> {
        self.kept.iter().rev().filter_map(|(_, std::cmp::Reverse(number))| self.records.get(number)).collect()
    }
}

/// `--time`: prints the slowest runs at the end.
pub struct Times {
    console: Console,
    context: Context,
    slowest: Slowest,
}

impl Times {
    /// Writes so many to `console`.
    pub fn new(console: Console, context: Context, cutoff: usize) -> Self {
        Self { console, context, slowest: Slowest::new(cutoff) }
    }
}

impl Reporter for Times {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Finished(report) => self.slowest.note(report, &self.context),
            Event::RunFinished(_) => {
                let mut text = String::new();
                let records = self.slowest.records();
                for record in &records {
                    let unmarked = matches!(record.detail, Detail::Slow { marked_slow: false, .. });
                    let star = if unmarked { " *" } else { "" };
                    text.push_str(&format!(
                        "{} {} {}{star}\n",
                        clock(record.duration),
                        record.name,
                        record.variant
                    ));
                }
                text.push_str("\nDetails:\n\n");
                for record in &records {
                    text.push_str(&format!(
                        "Test: {}\nFlags: {}\nCommand: {}\nDuration: {}\n",
                        record.name,
                        record.flags.join(" "),
                        record.command,
                        clock(record.duration)
                    ));
                }
                self.console.write(text.as_bytes());
            }
            _ => {}
        }
    }
}

/// V8's `MM:SS:mmm`.
fn clock(seconds: f64) -> String {
    let millis = (seconds * 1000.0) as u64;
    format!("{:02}:{:02}:{:03}", millis / 60_000, millis / 1000 % 60, millis % 1000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_messages::{CaseId, Exit, Memory, Outcome, Output, Place, TestName};

    use super::*;

    fn report(millis: u64) -> TestReport {
        TestReport {
            test: CaseId(millis),
            name: TestName {
                suite: "s".into(),
                name: millis.to_string(),
                variant: "default".into(),
                detail: None,
            },
            id: String::new(),
            outcome: Outcome::Pass,
            as_expected: true,
            why: None,
            case: None,
            output: Some(Output {
                exit: Exit::Code(0),
                timed_out: false,
                stdout: flotilla_messages::Captured::default(),
                stderr: flotilla_messages::Captured::default(),
                duration: Duration::from_millis(millis),
                memory: Memory::default(),
                started: None,
            }),
            place: Place::Local,
            attempt: 1,
            times: flotilla_messages::Times::default(),
            differs_on: None,
            earlier: Vec::new(),
        }
    }

    #[test]
    fn the_slowest_are_kept_slowest_first() {
        let context = Context::for_tests();
        let mut slowest = Slowest::new(CUTOFF);
        for i in 0..300 {
            slowest.note(&report(i * 7 % 300), &context);
        }
        let records = slowest.records();
        assert_eq!(records.len(), CUTOFF);
        assert_eq!((records[0].name.as_str(), records[99].name.as_str()), ("s/299", "s/200"));
        let mut none = Slowest::new(0);
        none.note(&report(1), &context);
        assert_eq!(none.records().len(), 0);
    }

    #[test]
    fn each_attempt_is_a_run() {
        let mut flaky = report(5);
        flaky.earlier = vec![TestReport { as_expected: false, ..report(70) }];
        let mut slowest = Slowest::new(10);
        slowest.note(&flaky, &Context::for_tests());
        let durations: Vec<f64> = slowest.records().iter().map(|record| record.duration).collect();
        assert_eq!(durations, [0.07, 0.005]);
    }

    #[test]
    fn clocks_are_v8s() {
        assert_eq!(clock(61.25), "01:01:250");
    }
}
