//! How many tests have failed, and whether that ends the run.

use std::num::NonZeroU64;

use super::policy::FailureLimit;

/// Counts failures. Nothing else decides whether there are too many.
#[derive(Default)]
pub(super) struct Failures {
    limit: FailureLimit,
    /// Verdicts that count towards the limit.
    count: u64,
}

impl Failures {
    pub(super) fn new(limit: FailureLimit) -> Self {
        Self { limit, count: 0 }
    }

    /// A test has its verdict. `flaky`: it was unexpected at first.
    pub(super) fn verdict(&mut self, as_expected: bool, flaky: bool) {
        self.count += u64::from(!as_expected || (flaky && self.limit.flaky_counts));
    }

    /// Whether the run is to end.
    pub(super) fn too_many(&self) -> bool {
        self.would_be_too_many(0)
    }

    /// Whether the run would have to end if this many more tests failed.
    pub(super) fn would_be_too_many(&self, more: usize) -> bool {
        self.limit.failures.map(NonZeroU64::get).is_some_and(|limit| self.count + more as u64 >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(limit: u64, flaky_counts: bool, verdicts: &[(bool, bool)]) -> Failures {
        let mut failures = Failures::new(FailureLimit { failures: NonZeroU64::new(limit), flaky_counts });
        for &(as_expected, flaky) in verdicts {
            failures.verdict(as_expected, flaky);
        }
        failures
    }

    #[test]
    fn the_limit_is_reached_with_the_given_number_and_not_before() {
        assert!(!after(2, false, &[(false, false), (true, false)]).too_many());
        assert!(after(2, false, &[(false, false), (true, false), (false, true)]).too_many());
        assert!(!after(0, true, &[(false, false); 100]).too_many(), "there is no limit");
    }

    #[test]
    fn flaky_tests_count_towards_the_limit_where_they_are_failures() {
        for flaky_counts in [false, true] {
            let failures = after(2, flaky_counts, &[(false, false), (true, true)]);
            assert_eq!(failures.too_many(), flaky_counts);
        }
    }

    #[test]
    fn tests_that_may_still_fail_are_added_to_those_that_have() {
        let failures = after(3, false, &[(false, false)]);
        assert!(!failures.would_be_too_many(1));
        assert!(failures.would_be_too_many(2));
    }
}
