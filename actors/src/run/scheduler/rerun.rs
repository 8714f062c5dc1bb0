//! Tests that were unexpected and are run again: one that then is as expected is flaky, one that never is has failed.
//!
//! They are run again when nothing else waits. So a slot is free, nobody waits for it, and what disturbed the test may be
//! over; and before it is known whether the engine fails everything, no time is lost with repeating that. Only where the
//! number of failures is about to end the run, they come first.
//!
//! Where this machine runs tests, it has the last word, as in [confirmations](super::confirmation): its own failures are not to be
//! washed away by a peer that passes everything. Without it, another peer is to try.
//!
//! A peer's unexpected result that is to be confirmed is no attempt that counts. If the confirmation is as expected, the
//! peer is in doubt and not the test; if it is not, the attempts begin with it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flotilla_messages::{Place, Why};

use super::core::Core;
use super::effect::Effect;
use super::limit::Failures;
use super::policy::{FailureLimit, Reruns};
use super::table::Index;
use crate::execution::executor::{ExecutorId, LeaseId, LeaseResult};
use crate::run::aggregator::{AggregatorMsg, Attempt};

/// All tests that are run again.
#[derive(Default)]
pub(super) struct RerunQueue {
    policy: Reruns,
    tests: BTreeMap<Index, Failing>,
    /// Of these: those that are not leased.
    to_run: Vec<Index>,
    /// Tests of which the first attempt that counts was unexpected.
    at_first: u64,
}

/// A test that is run again.
#[derive(Default)]
struct Failing {
    /// Its attempts, all unexpected.
    tried: Vec<Attempt>,
    /// The next one, once it is out.
    lease: Option<LeaseId>,
}

impl RerunQueue {
    /// Whether this test is run again, and has no verdict yet.
    pub(super) fn has(&self, index: Index) -> bool {
        self.tests.contains_key(&index)
    }

    /// How many wait for it.
    pub(super) fn waiting(&self) -> usize {
        self.to_run.len()
    }
}

impl Core {
    /// Before anything is handled: which tests are run again.
    #[must_use]
    pub fn with_reruns(mut self, policy: Reruns) -> Self {
        self.reruns.policy = policy;
        self
    }

    /// Before anything is handled: how many failures end the run.
    #[must_use]
    pub fn with_limit(mut self, limit: FailureLimit) -> Self {
        self.failures = Failures::new(limit);
        self
    }

    /// Before anything is handled: whether tests are started in the order in which they are found (`--no-sorting`), the
    /// HEAVY ones first all the same.
    #[must_use]
    pub fn unsorted(mut self, unsorted: bool) -> Self {
        self.unsorted = unsorted;
        self
    }

    /// Whether the lease of this test, if any, is there to check a result: it stays where it is.
    pub(super) fn stays(&self, index: Index) -> bool {
        self.held.contains_key(&index) || self.reruns.has(index)
    }

    /// Whether there are such tests.
    pub(super) fn any_stays(&self) -> bool {
        !self.held.is_empty() || !self.reruns.tests.is_empty()
    }

    /// An attempt that counts: the test's verdict, or one of several.
    pub(super) fn believed(
        &mut self,
        index: Index,
        tried: Attempt,
        differs_on: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        if !tried.as_expected() && self.is_to_run_again(index, effects) {
            for lease in self.copies.remove(&index).unwrap_or_default() {
                self.withdraw(lease);
            }
            self.tried(index, tried.attempt);
            let test = self.table.id(index);
            effects.push(Effect::Tell(AggregatorMsg::Again { test, tried: tried.clone() }));
            let failing = self.reruns.tests.entry(index).or_default();
            failing.tried.push(tried);
            failing.lease = None;
            self.reruns.to_run.push(index);
            return;
        }
        let earlier = self.reruns.tests.remove(&index).map(|failing| failing.tried).unwrap_or_default();
        self.verdict(index, tried, earlier, differs_on, effects);
    }

    /// Whether this test, which was unexpected, gets another attempt.
    fn is_to_run_again(&mut self, index: Index, effects: &mut Vec<Effect>) -> bool {
        let Reruns { count, most_tests } = self.reruns.policy;
        if count == 0 || self.stopping.is_some() || self.table.is_done(index) {
            return false;
        }
        if let Some(failing) = self.reruns.tests.get(&index) {
            return failing.tried.len() < count as usize;
        }
        self.reruns.at_first += 1;
        if self.reruns.at_first > most_tests {
            if !self.reruns.tests.is_empty() {
                let text = format!(
                    "no test is run again any more: {} were unexpected (--rerun-failures-max)",
                    self.reruns.at_first
                );
                effects.push(Effect::notice(text));
            }
            self.none_again(effects);
            return false;
        }
        true
    }

    /// The last attempt counts. Nothing if this test is not run again.
    pub(super) fn not_again(&mut self, index: Index, effects: &mut Vec<Effect>) {
        let Some(Failing { tried: mut earlier, lease }) = self.reruns.tests.remove(&index) else { return };
        self.reruns.to_run.retain(|&waits| waits != index);
        if let Some(lease) = lease {
            self.withdraw(lease);
        }
        if let Some(last) = earlier.pop() {
            self.verdict(index, last, earlier, None, effects);
        }
    }

    /// Nothing is run again any more.
    pub(super) fn none_again(&mut self, effects: &mut Vec<Effect>) {
        while let Some((&index, _)) = self.reruns.tests.first_key_value() {
            self.not_again(index, effects);
        }
    }

    /// Whether those that failed decide, together with those that are run again, whether the run goes on.
    pub(super) fn reruns_are_urgent(&self) -> bool {
        !self.reruns.to_run.is_empty() && self.failures.would_be_too_many(self.reruns.tests.len())
    }

    /// Gives this executor a test that is to be run again, the longest; says whether there was one for it.
    pub(super) fn run_again(&mut self, now: Instant, id: ExecutorId, heavy_allowed: bool) -> bool {
        let longest = (0..self.reruns.to_run.len())
            .filter(|&at| self.may_run_again(id, self.reruns.to_run.get(at).copied(), heavy_allowed))
            .max_by_key(|&at| {
                // Of equally long ones the first.
                (self.reruns.to_run.get(at).map(|&index| self.took(index)), std::cmp::Reverse(at))
            });
        let Some(at) = longest else { return false };
        let index = self.reruns.to_run.remove(at);
        let lease = self.lease(now, id, index);
        if let Some(failing) = self.reruns.tests.get_mut(&index) {
            failing.lease = Some(lease);
        }
        self.placed(lease, |_, _| Why::Rerun);
        true
    }

    fn may_run_again(&self, id: ExecutorId, index: Option<Index>, heavy_allowed: bool) -> bool {
        let Some(index) = index.filter(|&index| heavy_allowed || !self.table.is_heavy(index)) else {
            return false;
        };
        let Some(executor) = self.executors.get(&id) else { return false };
        if self.has_home() {
            return executor.is_local();
        }
        let last = self.reruns.tests.get(&index).and_then(|failing| failing.tried.last());
        let same = |place: &Place| last.is_some_and(|last| last.place == *place);
        !same(&executor.place)
            || !self.executors.values().any(|other| other.is_usable() && !same(&other.place))
    }

    /// How long the last attempt at a test took that is run again.
    fn took(&self, index: Index) -> Duration {
        match self.reruns.tests.get(&index).and_then(|failing| failing.tried.last()) {
            Some(Attempt { ending: LeaseResult::Judged(judged), .. }) => judged.run.output.duration,
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
#[path = "rerun_tests.rs"]
mod tests;
