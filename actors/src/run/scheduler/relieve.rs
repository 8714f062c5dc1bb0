//! What idle executors do near the end, when no test waits for them: they take over what others have not begun, and run once
//! more what others do not come to an end with. The first result counts.

use std::collections::BTreeMap;
use std::time::Instant;

use flotilla_messages::Why;

use super::capacity::Executor;
use super::core::Core;
use super::explain::taken_back;
use super::table::Index;
use crate::execution::executor::{ExecutorId, LeaseId};

/// A test that would be begun within this many seconds stays where it is: moving it costs a round trip, and news of its
/// start may be on its way.
const WORTH_MOVING: f64 = 0.1;
/// A test is late that has been out for this many times its expected length ...
const LATE_FACTOR: f64 = 3.0;
/// ... and for this many seconds at least ...
const LATE_AT_LEAST: f64 = 1.0;
/// ... or this many while no test has ended yet.
const LATE_UNMEASURED: f64 = 10.0;
/// Factor on the lateness threshold for each copy already leased.
const PATIENCE_GROWTH: f64 = 4.0;
/// No more live leases of one test than this, but for one on this machine: with it, the run ends whatever peers do.
const MOST_COPIES: usize = 3;

impl Core {
    /// Finds work for executors that have none. Leases after `told` are news to their executors still, and stay.
    /// `look_for_late`: time has passed.
    pub(super) fn relieve(&mut self, now: Instant, told: LeaseId, look_for_late: bool) {
        // Who is idle after all were given what they may have could get none of the tests that wait, if any do.
        if self.executors.len() < 2 || self.live == 0 {
            return;
        }
        let typical = self.typical();
        let mut idle: Vec<(f64, ExecutorId)> = self
            .executors
            .iter()
            .filter(|(_, executor)| is_idle(executor))
            .map(|(&id, executor)| (executor.slots() as f64 / executor.rate(now, typical), id))
            .collect();
        if idle.is_empty() {
            return;
        }
        idle.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.take_over(now, told, &idle);
        if look_for_late {
            self.double(now, told, &idle);
        }
    }

    /// Idle executors take what others would begin much later, the last first.
    fn take_over(&mut self, now: Instant, told: LeaseId, idle: &[(f64, ExecutorId)]) {
        let typical = self.typical();
        let busy = |(&id, executor): (&ExecutorId, &Executor)| {
            let rate = executor.rate(now, typical);
            (executor.wait(rate) >= WORTH_MOVING).then_some((id, (rate, Vec::new())))
        };
        let mut victims: BTreeMap<ExecutorId, (f64, Vec<LeaseId>)> =
            self.executors.iter().filter_map(busy).collect();
        if victims.is_empty() {
            return;
        }
        for (&lease, leased) in self.leases.range(..=told) {
            let movable = leased.live && leased.started.is_none() && !self.stays(leased.index);
            if let (true, Some((_, leases))) = (movable, victims.get_mut(&leased.executor)) {
                leases.push(lease);
            }
        }
        for &(length, thief) in idle {
            while self.executors.get(&thief).is_some_and(is_idle) {
                let longest = victims
                    .iter()
                    .filter(|(_, (_, leases))| !leases.is_empty())
                    .filter_map(|(&id, &(rate, _))| Some((self.executors.get(&id)?.wait(rate), rate, id)))
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let Some((wait, rate, victim)) = longest else { return };
                let slots = self.executors.get(&victim).map_or(1, Executor::slots);
                if wait < WORTH_MOVING || length > wait + slots as f64 / rate {
                    break;
                }
                let lease = victims.get_mut(&victim).and_then(|(_, leases)| leases.pop());
                if let Some(lease) = lease {
                    self.move_to(now, thief, lease);
                }
            }
        }
    }

    /// Takes a lease from its executor and gives its test to this one, if it may have it.
    fn move_to(&mut self, now: Instant, thief: ExecutorId, lease: LeaseId) {
        let Some(leased) = self.leases.get(&lease) else { return };
        let (index, victim) = (leased.index, leased.executor);
        if self.may_run(thief, index) && self.withdraw(lease) {
            let lease = self.lease(now, thief, index);
            self.placed(lease, |core, _| Why::TakenOver { from: core.place(victim) });
        }
    }

    /// Idle executors run what is late elsewhere, the latest first. What has not even begun is taken away there.
    fn double(&mut self, now: Instant, told: LeaseId, idle: &[(f64, ExecutorId)]) {
        let mut late: Vec<(f64, LeaseId)> = self
            .leases
            .range(..=told)
            .filter(|(_, leased)| leased.live && !self.stays(leased.index))
            .filter_map(|(&lease, _)| Some((self.lateness(now, lease)?, lease)))
            .collect();
        late.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, lease) in late {
            let Some(leased) = self.leases.get(&lease) else { continue };
            let (index, attempt, begun) = (leased.index, leased.attempt, leased.started.is_some());
            let (at, since) = (leased.executor, leased.started.unwrap_or(leased.since));
            let copies = self.copies.get(&index).cloned().unwrap_or_else(|| vec![lease]);
            // All copies have to be late, and the newest is asked about them.
            if copies
                .iter()
                .any(|&copy| copy != lease && (copy > lease || self.lateness(now, copy).is_none()))
            {
                continue;
            }
            let has_it =
                |id| copies.iter().any(|copy| self.leases.get(copy).is_some_and(|l| l.executor == id));
            let may = |id: ExecutorId| {
                let few =
                    copies.len() < MOST_COPIES || self.executors.get(&id).is_some_and(Executor::is_local);
                few && !has_it(id) && self.executors.get(&id).is_some_and(is_idle) && self.may_run(id, index)
            };
            let Some(&(_, id)) = idle.iter().find(|(_, id)| may(*id)) else { continue };
            if !begun {
                self.withdraw(lease);
                self.copies.remove(&index);
            }
            self.tried(index, attempt);
            let new = self.lease(now, id, index);
            self.placed(new, |core, _| {
                let at = core.place(at);
                if begun {
                    Why::Late { at, since: now.saturating_duration_since(since) }
                } else {
                    taken_back(at, "it has not begun it in time")
                }
            });
            let mut copies: Vec<LeaseId> = copies;
            copies.retain(|&copy| begun || copy != lease);
            copies.push(new);
            if copies.len() > 1 {
                self.copies.insert(index, copies);
            }
        }
    }

    /// How much later than it should this lease is, in seconds; `None`: it is not.
    fn lateness(&self, now: Instant, lease: LeaseId) -> Option<f64> {
        let leased = self.leases.get(&lease)?;
        let executor = self.executors.get(&leased.executor)?;
        let elapsed = now.saturating_duration_since(leased.started.unwrap_or(leased.since)).as_secs_f64();
        let typical = self.typical();
        let expected = if self.has_measured() {
            (LATE_FACTOR * self.table.length(leased.index).seconds(typical)).max(LATE_AT_LEAST)
        } else {
            LATE_UNMEASURED
        };
        let ahead = if leased.started.is_some() { 0.0 } else { executor.wait(executor.rate(now, typical)) };
        let others = self.copies.get(&leased.index).map_or(1, Vec::len) - 1;
        let patience = (expected + ahead) * PATIENCE_GROWTH.powi(others as i32);
        let late = elapsed - if executor.suspected { 0.0 } else { patience };
        (late > 0.0).then_some(late)
    }

    fn may_run(&self, id: ExecutorId, index: Index) -> bool {
        let heavy = self.table.is_heavy(index);
        let fits =
            self.executors.get(&id).is_some_and(|executor| !heavy || executor.heavy < executor.max_heavy);
        fits && !self.was_unable_to(id, index)
    }
}

/// Whether it could start a test at once.
fn is_idle(executor: &Executor) -> bool {
    executor.has_credit() && executor.live() < executor.slots()
}
