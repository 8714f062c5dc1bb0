//! What is kept of a test under one configuration, and how a run changes it.

use std::time::Duration;

use flotilla_messages::{Outcome, TestReport};

use super::mean::Mean;

/// The longest run that is believed: a peer says how long a test took there.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What a test came to in one run.
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
    /// What it came to.
    pub result: Verdict,
    /// How long its process ran, in milliseconds; nothing if none did.
    pub millis: Option<u32>,
}

impl Noted {
    /// Of a verdict.
    pub fn of(report: &TestReport) -> Self {
        let millis = report.output.as_ref().map(|output| output.duration.min(LONGEST).as_millis() as u32);
        let result = Verdict { outcome: report.outcome, as_expected: report.as_expected };
        Self { id: report.id.clone(), result, millis }
    }
}

/// What is kept of a test. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// How long it takes.
    pub mean: Mean,
    /// What it came to last.
    pub last: Verdict,
    /// And the time before; nothing after its first run.
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
}

impl Record {
    /// What is kept after one more run, at `now`.
    pub fn after(before: Option<Self>, noted: &Noted, now: u64) -> Self {
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
        };
        let old = before.unwrap_or(first);
        let changed = before.is_some() && old.last != result;
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
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noted(outcome: Outcome, millis: Option<u32>) -> Noted {
        let result = Verdict { outcome, as_expected: outcome == Outcome::Pass };
        Noted { id: "a".into(), result, millis }
    }

    #[test]
    fn a_test_that_changes_is_known_by_it() {
        let first = Record::after(None, &noted(Outcome::Pass, Some(10)), 100);
        assert_eq!((first.previous, first.changes, first.last_change), (None, 0, 0));
        let same = Record::after(Some(first), &noted(Outcome::Pass, Some(20)), 200);
        assert_eq!((same.previous, same.changes, same.runs), (Some(first.last), 0, 2));
        let other = Record::after(Some(same), &noted(Outcome::Crash, None), 300);
        assert_eq!(other.previous, Some(same.last));
        assert_eq!((other.changes, other.last_change, other.unexpected), (1, 300, 1));
        assert_eq!(other.mean, same.mean, "a test without a process took no time");
        let back = Record::after(Some(other), &noted(Outcome::Pass, None), 400);
        assert_eq!((back.changes, back.last_change, back.runs), (2, 400, 4));
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_runs(passed in prop::collection::vec(any::<bool>(), 1..60)) {
            let outcome = |passed| if passed { Outcome::Pass } else { Outcome::Fail };
            let mut record = None;
            for (time, &passed) in (0..).zip(&passed) {
                record = Some(Record::after(record, &noted(outcome(passed), Some(1)), time));
            }
            let record = record.unwrap();
            prop_assert_eq!(record.runs as usize, passed.len());
            prop_assert_eq!(record.unexpected as usize, passed.iter().filter(|passed| !**passed).count());
            let changes = passed.windows(2).filter(|two| two[0] != two[1]).count();
            prop_assert_eq!(record.changes as usize, changes);
        }
    }
}
