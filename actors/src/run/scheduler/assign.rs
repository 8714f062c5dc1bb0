//! Who gets the tests that wait.

use std::time::Instant;

use flotilla_messages::Place;

use flotilla_messages::Why;

use super::capacity::Executor;
use super::core::{Core, Leased};
use super::table::Index;
use crate::execution::executor::{ExecutorId, Lease, LeaseId};

impl Core {
    /// Gives every executor what it may have. While there is plenty, that is what its credit allows; towards the end it
    /// is its share, by its rate, of what is left in all, so that all are done at the same time.
    pub(super) fn assign(&mut self, now: Instant) {
        let waiting = self.table.waiting() + self.elsewhere.len();
        if waiting == 0 && self.to_confirm.is_empty() && self.reruns.waiting() == 0 {
            return;
        }
        let credit: usize = self.executors.values().map(|executor| executor.credit).sum();
        let plenty = waiting >= 2 * credit || (!self.all_found && waiting >= credit);
        self.near_the_end(!plenty);
        let limits: Vec<(ExecutorId, usize)> =
            if plenty { self.credits().collect() } else { self.shares(now, waiting + self.reruns.waiting()) };
        for (executor, limit) in limits {
            self.fill(now, executor, limit);
        }
    }

    /// Each executor's credit, for those that want a batch: some leases at once are fewer messages.
    fn credits(&self) -> impl Iterator<Item = (ExecutorId, usize)> + '_ {
        let wants = |(&id, executor): (&ExecutorId, &Executor)| {
            let free = executor.credit.saturating_sub(executor.leased);
            let is_low = executor.leased <= executor.slots();
            let confirms = executor.is_local() && !self.to_confirm.is_empty();
            (is_low || confirms || free >= executor.credit / 4).then_some((id, executor.credit))
        };
        self.executors.iter().filter_map(wants)
    }

    /// Each executor's share of what is left: at least what it can run at once, at most its credit. The fastest first.
    fn shares(&self, now: Instant, waiting: usize) -> Vec<(ExecutorId, usize)> {
        let left = (waiting + self.live) as f64;
        let typical = self.typical();
        let rate = |executor: &Executor| if executor.is_usable() { executor.rate(now, typical) } else { 0.0 };
        let mut rates: Vec<(f64, ExecutorId)> =
            self.executors.iter().map(|(&id, executor)| (rate(executor), id)).collect();
        let all: f64 = rates.iter().map(|(rate, _)| rate).sum();
        rates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let share = |(rate, id): (f64, ExecutorId)| {
            let executor = self.executors.get(&id)?;
            let share = (left * rate / all).ceil() as usize;
            // Withdrawn leases take up credit, but nobody's time.
            let share = share.max(executor.slots()) + executor.withdrawn;
            Some((id, share.min(executor.credit)))
        };
        rates.into_iter().filter_map(share).collect()
    }

    fn fill(&mut self, now: Instant, id: ExecutorId, limit: usize) {
        while let Some(executor) = self.executors.get(&id)
            && executor.has_credit()
        {
            let heavy_allowed = executor.heavy < executor.max_heavy;
            let (is_local, within) = (executor.is_local(), executor.leased < limit);
            let confirm = if is_local { self.next_to_confirm(heavy_allowed) } else { None };
            if let Some(index) = confirm {
                let lease = self.lease(now, id, index);
                if let Some(held) = self.held.get_mut(&index) {
                    held.here = Some(lease);
                }
                self.placed(lease, |core, _| {
                    let peer = core.held.get(&index).map(|held| held.peer.clone()).unwrap_or_default();
                    Why::Confirmation { peer }
                });
                continue;
            }
            if !within {
                return;
            }
            if self.reruns_are_urgent() && self.run_again(now, id, heavy_allowed) {
                continue;
            }
            let next = self.next_elsewhere(id, heavy_allowed).or_else(|| self.table.next(heavy_allowed));
            let Some(index) = next else {
                // When nothing else is left: another time is part of another attempt.
                if self.run_again(now, id, heavy_allowed) {
                    continue;
                }
                return;
            };
            let lease = self.lease(now, id, index);
            self.placed(lease, Core::why_next);
        }
    }

    fn next_to_confirm(&mut self, heavy_allowed: bool) -> Option<Index> {
        let may = |&index: &Index| heavy_allowed || !self.table.is_heavy(index);
        let at = self.to_confirm.iter().position(may)?;
        self.to_confirm.remove(at)
    }

    /// A test that others were unable to run, but not this one.
    fn next_elsewhere(&mut self, executor: ExecutorId, heavy_allowed: bool) -> Option<Index> {
        let may = |&index: &Index| {
            let heavy = !heavy_allowed && self.table.is_heavy(index);
            !heavy && !self.was_unable_to(executor, index)
        };
        let at = self.elsewhere.iter().position(may)?;
        self.elsewhere.remove(at)
    }

    /// Whether this executor has said that it cannot run this test, or is not to.
    pub(super) fn was_unable_to(&self, executor: ExecutorId, index: Index) -> bool {
        let unable = self.unable.get(&index).is_some_and(|unable| unable.contains_key(&executor));
        unable || self.is_kept_from(executor, index)
    }

    /// A new lease, to be told at the end of the input.
    pub(super) fn lease(&mut self, now: Instant, id: ExecutorId, index: Index) -> LeaseId {
        self.last_lease += 1;
        let lease = LeaseId(self.last_lease);
        let attempt = self.attempts.get(&index).map_or(1, |attempts| attempts + 1);
        let heavy = self.table.is_heavy(index);
        if let Some(executor) = self.executors.get_mut(&id) {
            executor.leases(now, heavy);
        }
        self.live += 1;
        let leased =
            Leased { index, executor: id, attempt, since: now, started: None, queued: None, live: true };
        self.leases.insert(lease, leased);
        let lease = Lease { id: lease, test: self.table.id(index), attempt };
        self.assignments.entry(id).or_default().push(lease);
        lease.id
    }

    /// Whether tests run on this machine.
    pub(super) fn has_home(&self) -> bool {
        self.executors.values().any(|executor| executor.is_local() && executor.credit > 0)
    }

    /// Whether this test is not for this executor, since others were lost with it and it can run at home.
    pub(super) fn is_kept_from(&self, executor: ExecutorId, index: Index) -> bool {
        self.kept_home.contains(&index) && self.place(executor) != Place::Local && self.has_home()
    }
}
