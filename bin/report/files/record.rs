//! One run of one test as V8's JSON has it (V8 13.8 testproc/util.py: `base_test_record`; testproc/indicators.py:
//! `JsonTestProgressIndicator`).

use flotilla_messages::{Captured, Output, TestReport};
use serde::Serialize;

use crate::report::shared::context::Context;

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    pub expected: Vec<&'static str>,
    pub flags: Vec<String>,
    pub framework_name: &'static str,
    pub name: String,
    pub random_seed: Option<i64>,
    /// Which attempt, from 1.
    pub run: u32,
    /// Which part of the tests the run was for, from 0.
    pub shard_id: u32,
    /// Of how many.
    pub shard_count: u32,
    pub target_name: String,
    pub variant: String,
    /// Our own addition: what else tells runs of one test apart: test262's half, the build, the seed or number of a
    /// repeated run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtest: Option<String>,
    pub variant_flags: Vec<String>,
    pub exit_code: Option<i32>,
    /// Seconds the process ran.
    pub duration: f64,
    /// The most memory that the process was seen to take, in bytes, 0 where that was not seen.
    pub max_rss: u64,
    /// The most addresses, likewise.
    pub max_vms: u64,
    pub command: String,
    /// Our own addition: the peer it ran on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Our own addition: seconds from the lease to the process's start, where it ran.
    pub queued: f64,
    /// Our own addition: what is left of the time from the lease to the verdict if a peer ran it, else 0.
    pub transfer: f64,
    /// Our own addition: the peer where it had ended unexpectedly, while here it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs_on: Option<String>,
    #[serde(flatten)]
    pub detail: Detail,
}

/// What a failing run has, and what one of the slowest or largest has.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// A run with an unexpected outcome, or one after it.
    Failure {
        /// The outcome.
        result: &'static str,
        /// Standard output, UTF-8 with replacement.
        stdout: String,
        /// Standard error.
        stderr: String,
        /// How the output differs from the expected file, if it was compared with one.
        error_details: Option<String>,
        /// Our own addition: what the judge or the runner has to say.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// Our own addition: why the outcome is doubtful, in a tree that is newer than what is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        doubt: Option<String>,
        /// Our own addition, of each run of a test that was flaky.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        flaky: bool,
    },
    /// One of the slowest or largest runs.
    Top {
        /// The outcome, empty if as expected.
        result: String,
        /// Whether a status file marks it SLOW.
        marked_slow: bool,
        /// Whether one marks it HEAVY.
        marked_heavy: bool,
    },
}

impl Record {
    /// The record of a run that failed, or of one after it; `flaky`: the test passed in the end.
    pub fn failure(report: &TestReport, context: &Context, flaky: bool) -> Self {
        let text = |pick: fn(&Output) -> &Captured| {
            report.output.as_ref().map(|output| pick(output).text().into_owned()).unwrap_or_default()
        };
        let detail = Detail::Failure {
            result: report.outcome.as_str(),
            stdout: text(|output| &output.stdout),
            stderr: text(|output| &output.stderr),
            error_details: report.difference.clone(),
            why: report.why.clone(),
            doubt: report.doubt().map(String::from),
            flaky,
        };
        Self::new(report, context, detail)
    }

    /// The record of one of the slowest or largest runs.
    pub fn top(report: &TestReport, context: &Context) -> Self {
        let case = report.case.as_ref();
        let detail = Detail::Top {
            result: if report.as_expected { String::new() } else { report.outcome.as_str().into() },
            marked_slow: case.is_some_and(|case| case.slow),
            marked_heavy: case.is_some_and(|case| case.heavy),
        };
        Self::new(report, context, detail)
    }

    fn new(report: &TestReport, context: &Context, detail: Detail) -> Self {
        let case = report.case.as_ref();
        let argv = case.map(|case| context.argv(case)).unwrap_or_default();
        let words: Vec<String> = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let program = case.map_or(0, |case| argv.len() - case.args.len());
        let memory = report.output.as_ref().map(|output| output.memory).unwrap_or_default();
        let (shard_id, shard_count) = context.shard;
        Self {
            expected: case
                .map(|case| case.expectation.outcomes.iter().map(|outcome| outcome.as_str()).collect())
                .unwrap_or_default(),
            flags: words[program..].to_vec(),
            framework_name: context.framework,
            name: report.name.path(),
            random_seed: case.and_then(|case| case.random_seed),
            run: report.attempt,
            shard_id,
            shard_count,
            target_name: program
                .checked_sub(1)
                .and_then(|last| words.get(last))
                .and_then(|shell| shell.rsplit('/').next())
                .unwrap_or_default()
                .to_owned(),
            variant: report.name.variant.clone(),
            subtest: report.name.detail.clone(),
            variant_flags: case.map(|case| case.variant_flags.clone()).unwrap_or_default(),
            exit_code: report.output.as_ref().map(|output| output.exit.returncode()),
            duration: report.duration().as_secs_f64(),
            max_rss: memory.max_rss,
            max_vms: memory.max_vms,
            command: case.map(|case| command(&case.relative_argv())).unwrap_or_default(),
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
