//! How long tests take, as this host's runners told. In memory: it lasts as long as the daemon.

use std::collections::BTreeMap;
use std::ops::Bound;

use flotilla_messages::port::local::{MOST_DURATIONS, TestDuration};

/// Tests remembered in all configurations together: some 30 bytes each.
const MOST_TESTS: usize = 1_000_000;
/// Configurations remembered.
const MOST_CONFIGURATIONS: usize = 64;
/// So many samples make up a mean at most, so that it follows the tests (V8's perfdata.py, MAX_SAMPLES).
const MOST_SAMPLES: u32 = 100;

/// A running mean.
#[derive(Clone, Copy, Debug)]
struct Mean {
    millis: f32,
    samples: u32,
}

/// Running means per configuration and test.
#[derive(Debug, Default)]
pub struct Durations {
    configurations: BTreeMap<String, BTreeMap<u64, Mean>>,
    tests: usize,
}

impl Durations {
    /// These tests took so long. What there is no room for is not remembered; whether there was.
    pub fn inform(&mut self, configuration: &str, tests: &[TestDuration]) -> bool {
        if !self.configurations.contains_key(configuration)
            && self.configurations.len() >= MOST_CONFIGURATIONS
        {
            return false;
        }
        let means = self.configurations.entry(configuration.to_owned()).or_default();
        for &TestDuration { test, millis } in tests {
            let full = self.tests >= MOST_TESTS;
            let known = means.contains_key(&test);
            if !known && full {
                return false;
            }
            self.tests += usize::from(!known);
            let mean = means.entry(test).or_insert(Mean { millis: 0.0, samples: 0 });
            mean.samples = (mean.samples + 1).min(MOST_SAMPLES);
            mean.millis += (millis as f32 - mean.millis) / mean.samples as f32;
        }
        true
    }

    /// The means behind this test, at most [`MOST_DURATIONS`], and whether there are more.
    pub fn page(&self, configuration: &str, after: Option<u64>) -> (Vec<TestDuration>, bool) {
        let Some(means) = self.configurations.get(configuration) else { return (Vec::new(), false) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = means.range((from, Bound::Unbounded));
        let page = rest
            .by_ref()
            .take(MOST_DURATIONS)
            .map(|(test, mean)| TestDuration { test: *test, millis: mean.millis.round() as u32 })
            .collect();
        (page, rest.next().is_some())
    }
}

#[cfg(test)]
mod tests {
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
}
