//! What is kept of a test under one configuration, and how a run changes it.

use std::time::Duration;

use flotilla_messages::{Outcome, TestReport};

use super::mean::Mean;

/// The longest duration that is believed: peers report how long tests took there.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A test's outcome in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether the status files expected it.
    pub as_expected: bool,
}

/// A verdict that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The test's stable identity, [`TestCase::id`](flotilla_messages::TestCase::id).
    pub id: String,
    /// The verdict to keep.
    pub result: Verdict,
    /// How long its process ran, in milliseconds; nothing if none did.
    pub millis: Option<u32>,
    /// It had failed before, in the same run.
    pub flaky: bool,
}

impl Noted {
    /// Of a verdict.
    pub fn of(report: &TestReport) -> Self {
        let millis = report.output.as_ref().map(|output| output.duration.min(LONGEST).as_millis() as u32);
        let result = Verdict { outcome: report.outcome, as_expected: report.as_expected };
        Self { id: report.id.clone(), result, millis, flaky: report.flaky() }
    }
}

/// What is kept of a test. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// How long it takes.
    pub mean: Mean,
    /// The verdict of its last run.
    pub last: Verdict,
    /// The verdict of the run before that; `None` after its first run.
    pub previous: Option<Verdict>,
    /// How often it ran.
    pub runs: u32,
    /// How often it ended unexpectedly.
    pub unexpected: u32,
    /// How often it came to something else than the time before.
    pub changes: u32,
    /// When it ran last.
    pub last_run: u64,
    /// When it last came to something else; 0: never.
    pub last_change: u64,
    /// What it had come to before that. Unknown where an older version of this program wrote it.
    pub changed_from: Option<Outcome>,
    /// How often it failed and then passed within one run.
    pub flaky: u32,
    /// When it last did; 0: never.
    pub last_flaky: u64,
    /// Whether it did in its last run.
    pub flaky_last: bool,
    /// What tells the engine's builds apart, as of its last run; 0: unknown.
    pub build: u64,
    /// How often its outcome changed from one run to the next while the engine was the same.
    pub unexplained: u32,
}

impl Record {
    /// Whether the test is called flaky: it failed and then passed within one run, or its outcome went there and back
    /// between runs of one and the same engine. One such change alone may be due to a change of the test.
    pub fn is_flaky(&self) -> bool {
        self.flaky > 0 || self.unexplained >= 2
    }

    /// When it last gave reason to call it flaky, if it is.
    pub fn flaky_since(&self) -> u64 {
        if self.unexplained >= 2 { self.last_flaky.max(self.last_change) } else { self.last_flaky }
    }

    /// Whether it is to run again where only what failed does: it failed the last time, or was flaky then.
    pub fn failed_last(&self) -> bool {
        !self.last.as_expected || self.flaky_last
    }

    /// What is kept after one more run, at `now`, of this build of the engine; 0: it is not known which.
    pub fn after(before: Option<Self>, noted: &Noted, now: u64, build: u64) -> Self {
        let result = noted.result;
        let first = Self {
            mean: Mean::default(),
            last: result,
            previous: None,
            runs: 0,
            unexpected: 0,
            changes: 0,
            last_run: now,
            last_change: 0,
            changed_from: None,
            flaky: 0,
            last_flaky: 0,
            flaky_last: false,
            build,
            unexplained: 0,
        };
        let old = before.unwrap_or(first);
        let changed = before.is_some() && old.last != result;
        let unexplained = changed && old.last.outcome != result.outcome && build != 0 && old.build == build;
        Self {
            mean: noted.millis.map_or(old.mean, |millis| old.mean.with(millis)),
            last: result,
            previous: before.map(|before| before.last),
            runs: old.runs.saturating_add(1),
            unexpected: old.unexpected.saturating_add(u32::from(!result.as_expected)),
            changes: old.changes.saturating_add(u32::from(changed)),
            // A clock may have been set back.
            last_run: now,
            last_change: if changed { now } else { old.last_change },
            changed_from: if changed { Some(old.last.outcome) } else { old.changed_from },
            flaky: old.flaky.saturating_add(u32::from(noted.flaky)),
            last_flaky: if noted.flaky { now } else { old.last_flaky },
            flaky_last: noted.flaky,
            build,
            unexplained: old.unexplained.saturating_add(u32::from(unexplained)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noted(outcome: Outcome, millis: Option<u32>) -> Noted {
        let result = Verdict { outcome, as_expected: outcome == Outcome::Pass };
        Noted { id: "a".into(), result, millis, flaky: false }
    }

    #[test]
    fn a_test_that_changes_is_known_by_it() {
        let first = Record::after(None, &noted(Outcome::Pass, Some(10)), 100, 0);
        assert_eq!((first.previous, first.changes, first.last_change), (None, 0, 0));
        let same = Record::after(Some(first), &noted(Outcome::Pass, Some(20)), 200, 0);
        assert_eq!((same.previous, same.changes, same.runs), (Some(first.last), 0, 2));
        let other = Record::after(Some(same), &noted(Outcome::Crash, None), 300, 0);
        assert_eq!(other.previous, Some(same.last));
        assert_eq!((other.changes, other.last_change, other.unexpected), (1, 300, 1));
        assert_eq!(other.mean, same.mean, "a test without a process took no time");
        let back = Record::after(Some(other), &noted(Outcome::Pass, None), 400, 0);
        assert_eq!((other.changed_from, back.changed_from), (Some(Outcome::Pass), Some(Outcome::Crash)));
        assert!(!back.is_flaky(), "whether the engine was the same is not known");
        assert_eq!((back.changes, back.last_change, back.runs), (2, 400, 4));
    }

    #[test]
    fn a_test_is_flaky_that_goes_there_and_back_on_one_engine_or_within_one_run() {
        let runs = |runs: &[(Outcome, u64)]| {
            let run = |record, (time, &(outcome, build)): (u64, &(Outcome, u64))| {
                Some(Record::after(record, &noted(outcome, None), time, build))
            };
            (1..).zip(runs).fold(None, run).unwrap()
        };
        let (pass, fail) = (Outcome::Pass, Outcome::Fail);
        assert!(!runs(&[(fail, 1), (pass, 1)]).is_flaky(), "the test may have been mended");
        let flaky = runs(&[(pass, 1), (fail, 1), (pass, 1), (pass, 2)]);
        assert!(flaky.is_flaky() && flaky.flaky_since() == 3 && !flaky.failed_last());
        assert!(!runs(&[(pass, 1), (fail, 2), (pass, 3)]).is_flaky(), "the engine was broken and mended");
        let within = Noted { flaky: true, ..noted(pass, None) };
        let within = Record::after(Some(runs(&[(pass, 1)])), &within, 9, 1);
        assert!(within.is_flaky() && within.failed_last());
        assert_eq!((within.flaky, within.flaky_since(), within.changes), (1, 9, 0));
        // Within the same second.
        let after = Record::after(Some(within), &noted(pass, None), 9, 1);
        assert!(after.is_flaky() && !after.failed_last());
        assert!(runs(&[(pass, 1), (fail, 2)]).failed_last());
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_runs(passed in prop::collection::vec(any::<bool>(), 1..60)) {
            let outcome = |passed| if passed { Outcome::Pass } else { Outcome::Fail };
            let mut record = None;
            for (time, &passed) in (0..).zip(&passed) {
                record = Some(Record::after(record, &noted(outcome(passed), Some(1)), time, 1));
            }
            let record = record.unwrap();
            prop_assert_eq!(record.runs as usize, passed.len());
            prop_assert_eq!(record.unexpected as usize, passed.iter().filter(|passed| !**passed).count());
            let changes = passed.windows(2).filter(|two| two[0] != two[1]).count();
            prop_assert_eq!(record.changes as usize, changes);
            prop_assert_eq!(record.unexplained as usize, changes);
        }
    }
}
