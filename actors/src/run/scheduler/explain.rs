//! Why each test is given to whom, for who wants to know: otherwise nothing is kept and nothing said.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_messages::{EventKind, Place, Placement, Why};

use super::core::Core;
use super::effect::Effect;
use super::table::Index;
use crate::execution::executor::LeaseId;

/// What has been decided and is not yet said.
#[derive(Default)]
pub(super) struct Explanations {
    /// Why tests wait once more; until they are leased.
    again: BTreeMap<Index, Why>,
    /// Since the last input.
    placed: Vec<Placement>,
    /// Each executor gets its share only.
    near_the_end: bool,
}

impl Core {
    /// From now on [`EventKind::Placed`] tells of each placement, or does not.
    pub fn explain(&mut self, explain: bool) {
        self.explanations = explain.then(Explanations::default);
    }

    /// This test is to be leased once more, for this reason.
    pub(super) fn because(&mut self, index: Index, why: impl FnOnce(&Self) -> Why) {
        if self.explanations.is_none() {
            return;
        }
        let why = why(self);
        if let Some(explanations) = &mut self.explanations {
            explanations.again.insert(index, why);
        }
    }

    /// This test is to be leased once more, since peers could not run it.
    pub(super) fn because_unable(&mut self, index: Index) {
        let reasons = || self.unable.get(&index).map(|unable| unable.values().cloned().collect());
        if let (Some(explanations), Some(reasons)) = (&mut self.explanations, reasons()) {
            explanations.again.insert(index, Why::Unable { reasons });
        }
    }

    pub(super) fn near_the_end(&mut self, near: bool) {
        if let Some(explanations) = &mut self.explanations {
            explanations.near_the_end = near;
        }
    }

    /// This lease was given.
    pub(super) fn placed(&mut self, lease: LeaseId, why: impl FnOnce(&Self, Index) -> Why) {
        if self.explanations.is_none() {
            return;
        }
        let Some(leased) = self.leases.get(&lease) else { return };
        let index = leased.index;
        let why = why(self, index);
        let placement = Placement {
            test: self.table.id(index),
            place: self.place(leased.executor),
            attempt: leased.attempt,
            why,
        };
        if let Some(explanations) = &mut self.explanations {
            explanations.again.remove(&index);
            explanations.placed.push(placement);
        }
    }

    /// Why a test that waited was the next one.
    pub(super) fn why_next(&self, index: Index) -> Why {
        let Some(explanations) = &self.explanations else { return Why::Next { expected: None } };
        if let Some(why) = explanations.again.get(&index) {
            return why.clone();
        }
        if self.table.is_heavy(index) {
            return Why::Heavy;
        }
        let expected = self.table.length(index).known().map(Duration::from_secs_f64);
        if explanations.near_the_end { Why::Share { expected } } else { Why::Next { expected } }
    }

    /// At the end of an input.
    pub(super) fn tell_placements(&mut self, effects: &mut Vec<Effect>) {
        if let Some(explanations) = &mut self.explanations {
            let event = |placement| Effect::event(EventKind::Placed(Box::new(placement)));
            effects.extend(explanations.placed.drain(..).map(event));
        }
    }
}

pub(super) fn taken_back(from: Place, reason: &str) -> Why {
    Why::TakenBack { from, reason: reason.to_owned() }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
