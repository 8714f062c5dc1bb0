//! How long tests take, as this host's runners told. No file: what is to be kept, and forgotten, is the caller's.

use std::collections::BTreeMap;
use std::ops::Bound;

use flotilla_messages::port::local::{MOST_DURATIONS, TestDuration};

use crate::history::{Mean, Stored};

/// Tests remembered in all configurations together: some 30 bytes each.
const MOST_TESTS: usize = 1_000_000;
/// Configurations remembered.
const MOST_CONFIGURATIONS: usize = 64;

/// Running means per configuration and test. Where there is no room, the configuration that was told of least recently
/// goes.
#[derive(Debug)]
pub struct Durations {
    configurations: BTreeMap<String, DurationTable>,
    tests: usize,
    /// Counts what was told.
    moment: u64,
    most_tests: usize,
}

/// What was told of one configuration.
#[derive(Debug, Default)]
struct DurationTable {
    means: BTreeMap<u64, Mean>,
    /// When, last.
    moment: u64,
}

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Of the tests that were told of: their means now.
    pub means: Vec<(u64, Mean)>,
    /// Configurations of which nothing is remembered any more.
    pub forgotten: Vec<String>,
    /// Whether some tests are not remembered, for want of room.
    pub full: bool,
}

impl Default for Durations {
    fn default() -> Self {
        Self { configurations: BTreeMap::new(), tests: 0, moment: 0, most_tests: MOST_TESTS }
    }
}

impl Durations {
    /// These tests took this long.
    pub fn inform(&mut self, configuration: &str, tests: &[TestDuration]) -> Changes {
        self.change(configuration, tests.iter().map(|told| (told.test, told.millis)), Mean::with)
    }

    /// So it was when the daemon ended. What runners have told since is newer.
    pub fn restore(&mut self, stored: Vec<Stored>) -> Changes {
        let mut changes = Changes::default();
        for Stored { configuration, means } in stored {
            let newer = |told: Mean, stored| if told.samples() > 0 { told } else { stored };
            let restored = self.change(&configuration, means.into_iter(), newer);
            changes.full |= restored.full;
            changes.forgotten.extend(restored.forgotten);
        }
        changes
    }

    fn change<T>(
        &mut self,
        configuration: &str,
        told: impl Iterator<Item = (u64, T)>,
        after: impl Fn(Mean, T) -> Mean,
    ) -> Changes {
        let mut changes = Changes::default();
        self.moment += 1;
        let of_it = self.configurations.remove(configuration);
        if of_it.is_none() && self.configurations.len() >= MOST_CONFIGURATIONS {
            self.forget_oldest(&mut changes);
        }
        let mut of_it = of_it.unwrap_or_default();
        of_it.moment = self.moment;
        for (test, value) in told {
            let before = of_it.means.get(&test).copied();
            // One that is forgotten may have held nothing.
            while before.is_none() && self.tests >= self.most_tests && self.forget_oldest(&mut changes) {}
            if before.is_none() && self.tests >= self.most_tests {
                changes.full = true;
                continue;
            }
            self.tests += usize::from(before.is_none());
            let mean = after(before.unwrap_or_default(), value);
            of_it.means.insert(test, mean);
            changes.means.push((test, mean));
        }
        self.configurations.insert(configuration.to_owned(), of_it);
        changes
    }

    /// Whether there was any but the one that is being changed.
    fn forget_oldest(&mut self, changes: &mut Changes) -> bool {
        let oldest = self.configurations.iter().min_by_key(|(_, told)| told.moment);
        let Some(name) = oldest.map(|(name, _)| name.clone()) else { return false };
        if let Some(told) = self.configurations.remove(&name) {
            self.tests -= told.means.len();
        }
        changes.forgotten.push(name);
        true
    }

    /// The means behind this test, at most [`MOST_DURATIONS`], and whether there are more.
    pub fn page(&self, configuration: &str, after: Option<u64>) -> (Vec<TestDuration>, bool) {
        let Some(told) = self.configurations.get(configuration) else { return (Vec::new(), false) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = told.means.range((from, Bound::Unbounded));
        let page = rest
            .by_ref()
            .take(MOST_DURATIONS)
            .map(|(&test, mean)| TestDuration {
                test,
                millis: mean.millis().unwrap_or_default().round() as u32,
            })
            .collect();
        (page, rest.next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn took(test: u64, millis: u32) -> TestDuration {
        TestDuration { test, millis }
    }

    #[test]
    fn a_mean_follows_its_samples_and_configurations_do_not_mix() {
        let mut durations = Durations::default();
        durations.inform("x64.release", &[took(1, 100), took(2, 7)]);
        durations.inform("x64.release", &[took(1, 200)]);
        durations.inform("x64.debug", &[took(1, 1000)]);
        assert_eq!(durations.page("x64.release", None), (vec![took(1, 150), took(2, 7)], false));
        assert_eq!(durations.page("x64.debug", None).0, [took(1, 1000)]);
        for _ in 0..1000 {
            durations.inform("x64.debug", &[took(1, 10)]);
        }
        assert_eq!(durations.page("x64.debug", None).0, [took(1, 10)], "a mean that old samples hold back");
    }

    #[test]
    fn pages_join_to_the_whole() {
        let mut durations = Durations::default();
        let all: Vec<_> = (0..10_000).map(|test| took(test, 1)).collect();
        durations.inform("c", &all);
        let (mut joined, mut after, mut more) = (Vec::new(), None, true);
        while more {
            let (page, rest) = durations.page("c", after);
            after = page.last().map(|last| last.test);
            joined.extend(page);
            more = rest;
        }
        assert_eq!(joined, all);
        assert!(durations.page("unknown", None).0.is_empty());
    }

    /// Formerly the sixty-fifth configuration was refused for as long as the daemon ran.
    #[test]
    fn the_configuration_told_of_least_recently_makes_room() {
        let mut durations = Durations::default();
        for number in 0..MOST_CONFIGURATIONS {
            assert_eq!(durations.inform(&number.to_string(), &[took(1, 1)]).forgotten, Vec::<String>::new());
        }
        durations.inform("0", &[took(1, 1)]);
        assert_eq!(durations.inform("new", &[took(1, 1)]).forgotten, ["1"]);
        assert_eq!(durations.page("0", None).0.len(), 1);
        assert_eq!(durations.configurations.len(), MOST_CONFIGURATIONS);
    }

    #[test]
    fn what_was_kept_is_known_again_but_what_was_told_since_is_newer() {
        let mut before = Durations::default();
        let kept = before.inform("a", &[took(1, 100)]).means;
        let mut after = Durations::default();
        after.inform("b", &[took(1, 5)]);
        let stored = |name: &str| Stored { configuration: name.into(), means: kept.clone() };
        after.restore(vec![stored("a"), stored("b")]);
        assert_eq!(after.page("a", None).0, [took(1, 100)]);
        assert_eq!(after.page("b", None).0, [took(1, 5)]);
        after.inform("a", &[took(1, 200)]);
        assert_eq!(after.page("a", None).0, [took(1, 150)], "the samples are kept as well");
    }

    proptest! {
        #[test]
        fn never_more_is_remembered_than_there_is_room_for(
            steps in prop::collection::vec((0..70_u8, prop::collection::vec(0..40_u64, 0..30)), 1..100)
        ) {
            let mut durations = Durations { most_tests: 50, ..Durations::default() };
            for (configuration, tests) in steps {
                let tests: Vec<_> = tests.into_iter().map(|test| took(test, 1)).collect();
                let changes = durations.inform(&configuration.to_string(), &tests);
                prop_assert!(!changes.full, "forty tests have room, if others go");
                let held: usize = durations.configurations.values().map(|told| told.means.len()).sum();
                prop_assert_eq!(held, durations.tests);
                prop_assert!(held <= 50 && durations.configurations.len() <= MOST_CONFIGURATIONS);
                prop_assert!(changes.forgotten.iter().all(|name| !durations.configurations.contains_key(name)));
            }
        }
    }
}
