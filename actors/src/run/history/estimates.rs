//! The durations that a run expects, in memory: twelve bytes a test.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use flotilla_messages::port::local::TestDuration;
use flotilla_messages::{CaseId, Cases, Entry, TestCase, Unrunnable};

use crate::run::scheduler::History;

/// This many tests are looked at before the first is given out: finding them takes less than a millisecond.
const FIRST: usize = 1024;
/// Unknown ones come before those that take less, as in the scheduler's table.
const UNKNOWN: Duration = Duration::from_millis(100);

/// Expected durations by test.
#[derive(Debug, Default)]
pub(super) struct Means {
    /// Sorted.
    keys: Vec<u64>,
    millis: Vec<f32>,
}

impl Means {
    /// From tests in any order; of one that comes twice, either counts.
    pub fn new(mut means: Vec<(u64, f32)>) -> Self {
        means.sort_unstable_by_key(|(key, _)| *key);
        means.dedup_by_key(|(key, _)| *key);
        let (keys, millis) = means.into_iter().unzip();
        Self { keys, millis }
    }

    pub fn get(&self, key: u64) -> Option<f32> {
        self.keys.binary_search(&key).ok().and_then(|at| self.millis.get(at)).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// What is known, as it comes in. Cloned, it is the same.
#[derive(Clone, Debug, Default)]
pub struct DurationEstimates(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    own: OnceLock<Means>,
    told: OnceLock<Means>,
    /// Whether the own ones were read, or cannot be.
    read: Mutex<bool>,
    was_read: Condvar,
    /// Nobody asks any more.
    stopped: AtomicBool,
}

impl DurationEstimates {
    /// What this tree's own runs took; nothing if that cannot be read.
    pub(super) fn set_own(&self, means: Means) {
        // Once in a run.
        let _ = self.0.own.set(means);
        *self.0.read.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.was_read.notify_all();
    }

    /// What other trees' runs took, as the daemon of this host says; for tests without own runs.
    pub fn set_told(&self, told: Vec<TestDuration>) {
        let means = told.into_iter().map(|duration| (duration.test, duration.millis as f32)).collect();
        let _ = self.0.told.set(Means::new(means));
    }

    /// Waits until the own ones are read, but not for longer than this. Whether they are.
    pub fn wait(&self, most: Duration) -> bool {
        let read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.was_read.wait_timeout_while(read, most, |read| !*read);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Nobody will ask any more: what is not read yet is not wanted.
    pub(super) fn stop_reading(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn reading_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// Whether the own ones are read, and there are none.
    pub fn lacks_all(&self) -> bool {
        self.0.own.get().is_some_and(Means::is_empty)
    }

    /// Whether nothing is known, so far.
    fn knows_nothing(&self) -> bool {
        self.0.own.get().is_none_or(Means::is_empty) && self.0.told.get().is_none_or(Means::is_empty)
    }

    /// The same tests, the longest of the first thousand first. They are listed when what is known of them is, or after `most`: what is listed before is
    /// taken for unknown.
    pub fn before(&self, cases: Arc<dyn Cases>, most: Duration) -> Arc<dyn Cases> {
        Arc::new(Informed { known: self.clone(), cases, most })
    }
}

impl History for DurationEstimates {
    fn expected(&self, history_key: u64) -> Option<Duration> {
        let find = |means: &OnceLock<Means>| means.get().and_then(|means| means.get(history_key));
        let millis = find(&self.0.own).or_else(|| find(&self.0.told))?;
        Duration::try_from_secs_f64(f64::from(millis) / 1000.0).ok()
    }
}

/// Cases that are listed a little later.
struct Informed {
    known: DurationEstimates,
    cases: Arc<dyn Cases>,
    most: Duration,
}

impl Cases for Informed {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        if !self.known.wait(self.most) {
            log::info!("tests are listed before the history is read: some are taken for unknown");
        }
        let mut entries = self.cases.entries();
        if self.known.knows_nothing() {
            return entries;
        }
        // The first tests are given out one by one as they are found: the longest of them should be among those.
        let mut first: Vec<Entry> = entries.by_ref().take(FIRST).collect();
        first.sort_by_cached_key(|entry| {
            let expected = self.known.expected(entry.history_key);
            std::cmp::Reverse(expected.unwrap_or(if entry.slow { Duration::MAX } else { UNKNOWN }))
        });
        Box::new(first.into_iter().chain(entries))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        self.cases.case(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_durations_come_before_told_ones() {
        let known = DurationEstimates::default();
        assert_eq!(known.expected(1), None);
        assert!(!known.lacks_all(), "they are not read yet");
        known.set_told(vec![TestDuration { test: 3, millis: 30 }, TestDuration { test: 1, millis: 10 }]);
        assert_eq!(known.expected(1), Some(Duration::from_millis(10)));
        known.set_own(Means::new(vec![(2, 20.0), (1, 1500.0)]));
        assert_eq!(known.expected(1), Some(Duration::from_millis(1500)));
        assert_eq!(known.expected(3), Some(Duration::from_millis(30)));
        assert_eq!(known.expected(4), None);
        assert!(known.wait(Duration::ZERO) && !known.lacks_all());
    }

    #[test]
    fn the_first_tests_are_listed_by_their_length_and_none_is_lost() {
        let known = DurationEstimates::default();
        let fake: Arc<dyn Cases> = Arc::new(crate::run::fake::Fake::scripts(3000, "true"));
        let listed = |known: &DurationEstimates| {
            let cases = known.before(Arc::clone(&fake), Duration::ZERO);
            cases.entries().map(|entry| entry.history_key).collect::<Vec<_>>()
        };
        let as_found: Vec<u64> = (0..3000).collect();
        assert_eq!(listed(&known), as_found);
        known.set_own(Means::new(vec![(7, 5.0), (9, 500.0), (2500, 9000.0), (3, 200.0)]));
        let mut listed = listed(&known);
        assert_eq!(listed[..4], [9, 3, 0, 1]);
        assert_eq!(listed[1021..1026], [1022, 1023, 7, 1024, 1025]);
        listed.sort_unstable();
        assert_eq!(listed, as_found);
    }

    #[test]
    fn listing_does_not_wait_for_ever() {
        assert!(!DurationEstimates::default().wait(Duration::from_millis(1)));
    }
}
