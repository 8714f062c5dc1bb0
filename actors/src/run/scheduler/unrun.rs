//! Verdicts that no executor gives: a test that took executors down, or that nobody can run.
//!
//! A report has the test's name, which the case has, and that is made of files. So the verdict waits until the case was
//! read elsewhere ([`Effect::ReadCase`]), and the run's end waits for the verdict: when the run stops, for a short time.

use std::collections::BTreeMap;
use std::time::Instant;

use flotilla_messages::{CaseId, Outcome, Place, Times};

use super::core::{Core, STOP_PATIENCE};
use super::effect::{CaseRead, Effect};
use super::table::Index;
use crate::execution::executor::{Failed, LeaseResult};
use crate::run::aggregator::Attempt;

/// A verdict that waits for its test's case.
pub(super) struct Unrun {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    /// Where the test was last.
    pub(super) place: Place,
    /// How many attempts there were.
    pub(super) attempt: u32,
}

/// All of them.
pub(super) type UnrunVerdicts = BTreeMap<CaseId, Unrun>;

impl Core {
    /// This test fails without an executor's result.
    pub(super) fn fails_unrun(&mut self, index: Index, unrun: Unrun, effects: &mut Vec<Effect>) {
        if self.take_verdict(index) {
            let test = self.table.id(index);
            self.unrun.insert(test, unrun);
            effects.push(Effect::ReadCase(test));
        }
    }

    /// The case of such a test was read, or cannot be.
    pub(super) fn case_read(&mut self, CaseRead { test, case }: CaseRead, effects: &mut Vec<Effect>) {
        let Some(Unrun { outcome, reason, place, attempt }) = self.unrun.remove(&test) else { return };
        let mut failed = match case {
            Ok(case) => Failed::of(*case, reason),
            Err(Some(unrunnable)) => {
                let (name, id) = (unrunnable.name, unrunnable.id);
                Failed { name, id, case: None, outcome, reason }
            }
            Err(None) => Failed::nameless(test, reason),
        };
        failed.outcome = outcome;
        let ending = LeaseResult::Failed(Box::new(failed));
        let tried = Attempt { ending, place, attempt, times: Times::default() };
        self.give_verdict(test, tried, Vec::new(), None, effects);
    }

    /// A run that stops does not wait for a disk that hangs: the verdicts come without names.
    pub(super) fn give_up_reading(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.stopping.is_none_or(|since| now.saturating_duration_since(since) < STOP_PATIENCE) {
            return;
        }
        while let Some((&test, _)) = self.unrun.first_key_value() {
            self.case_read(CaseRead { test, case: Err(None) }, effects);
        }
    }
}

#[cfg(test)]
#[path = "unrun_tests.rs"]
mod tests;
