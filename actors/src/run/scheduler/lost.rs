//! Executors that go, or that nothing is heard of, and what becomes of the tests they had.

use std::time::{Duration, Instant};

use flotilla_messages::{Outcome, Place, Why};

use super::capacity::Executor;
use super::core::{Core, Leased};
use super::effect::Effect;
use super::explain::taken_back;
use super::unrun::Unrun;
use crate::execution::executor::{ExecutorId, LeaseId};

/// Strikes that keep a test off peers; without a local executor it is a CRASH.
const STRIKES: u32 = 4;
/// Strikes of a test that was running when its executor was lost.
const STRIKES_RUNNING: u32 = 2;
/// Strikes of a test that was leased there while none is known to have run.
const STRIKES_PERHAPS: u32 = 1;
/// Executors that are lost within this time went together, since the network did: links are heard of each second.
const TOGETHER: Duration = Duration::from_secs(3);
/// What speaks for a test having taken executors down.
pub(super) struct Strikes {
    count: u32,
    /// Why they were lost.
    history: Vec<String>,
    /// When the last of them was.
    last: Instant,
}

impl Core {
    /// Takes an executor out, and its live leases, in order; with each, whether the test is leased to nobody else.
    pub(super) fn remove(&mut self, executor: ExecutorId) -> (Option<Executor>, Vec<(Leased, bool)>) {
        let gone = self.executors.remove(&executor);
        self.assignments.remove(&executor);
        self.withdrawals.remove(&executor);
        let of = |(&lease, leased): (&LeaseId, &Leased)| (leased.executor == executor).then_some(lease);
        let had: Vec<LeaseId> = self.leases.iter().filter_map(of).collect();
        let mut live = Vec::new();
        for lease in had {
            if let Some(leased) = self.leases.remove(&lease)
                && leased.live
            {
                let alone = self.forget_copy(lease, &leased);
                live.push((leased, alone));
            }
        }
        (gone, live)
    }

    pub(super) fn suspected(&mut self, executor: ExecutorId) {
        let Some(entry) = self.executors.get_mut(&executor) else { return };
        entry.suspected = true;
        // What it has not begun goes to others at once, what it has when somebody is idle.
        self.take_back(executor, usize::MAX, "nothing has been heard of it for some seconds");
    }

    /// Takes back this many tests that the executor has not begun, the last ones first.
    pub(super) fn take_back(&mut self, executor: ExecutorId, most: usize, why: &str) {
        if most == 0 {
            return;
        }
        let waits = |(&lease, leased): (&LeaseId, &Leased)| {
            let waits = leased.executor == executor && leased.live && leased.started.is_none();
            (waits && !self.stays(leased.index)).then_some(lease)
        };
        let waiting: Vec<LeaseId> = self.leases.iter().filter_map(waits).collect();
        // From the back, since each goes to the front.
        for lease in waiting.into_iter().rev().take(most) {
            let Some(leased) = self.leases.get(&lease) else { continue };
            let index = leased.index;
            if self.withdraw(lease) && self.stopping.is_none() {
                self.because(index, |core| taken_back(core.place(executor), why));
                self.table.put_back(index);
            }
        }
    }

    pub(super) fn lost(
        &mut self,
        now: Instant,
        executor: ExecutorId,
        reason: &str,
        effects: &mut Vec<Effect>,
    ) {
        let (Some(gone), had) = self.remove(executor) else { return };
        // Only what ran can have taken the executor down. If nothing is known to have run, it may have been any.
        let none_started = !had.iter().any(|(leased, _)| leased.started.is_some());
        let mut again = 0;
        // From the back, since each goes to the front.
        for (leased, alone) in had.into_iter().rev() {
            if self.held.contains_key(&leased.index) {
                self.release(leased.index, effects);
                continue;
            }
            if self.reruns.has(leased.index) {
                self.not_again(leased.index, effects);
                continue;
            }
            if self.stopping.is_some() {
                continue;
            }
            if leased.started.is_some() || none_started {
                let strikes = self.strikes.entry(leased.index);
                let strikes = strikes.or_insert(Strikes { count: 0, history: Vec::new(), last: now });
                // Of copies that went together one counts: it was no test that pulled this machine's own cable.
                let together = !strikes.history.is_empty()
                    && leased.since <= strikes.last
                    && now.saturating_duration_since(strikes.last) < TOGETHER;
                if !together {
                    strikes.count += if leased.started.is_some() { STRIKES_RUNNING } else { STRIKES_PERHAPS };
                    strikes.history.push(reason.to_owned());
                    strikes.last = now;
                }
                let enough = alone && strikes.count >= STRIKES;
                // A network that comes and goes looks the same. Without it the test would have run here at once.
                if enough && gone.place != Place::Local && self.has_home() {
                    again += 1;
                    self.tried(leased.index, leased.attempt);
                    self.kept_home.insert(leased.index);
                    self.elsewhere.push_back(leased.index);
                    continue;
                }
                if enough {
                    let strikes = self.strikes.remove(&leased.index);
                    let history = strikes.map(|strikes| strikes.history).unwrap_or_default();
                    let reason = format!("took down {} executors: {}", history.len(), history.join("; "));
                    let (place, attempt) = (gone.place.clone(), leased.attempt);
                    let unrun = Unrun { outcome: Outcome::Crash, reason, place, attempt };
                    self.fails_unrun(leased.index, unrun, effects);
                    continue;
                }
            }
            if alone {
                again += 1;
                let (at, reason) = (&gone.place, reason);
                self.because(leased.index, |_| Why::Lost { at: at.clone(), reason: reason.to_owned() });
                self.put_back(&leased);
            }
        }
        self.release_unconfirmable(effects);
        if let (Place::Peer(peer), None) = (&gone.place, self.stopping) {
            let moved = match again {
                0 => String::new(),
                1 => "; one test is run elsewhere".to_owned(),
                _ => format!("; {again} tests are run elsewhere"),
            };
            effects.push(Effect::notice(format!("{peer} is lost: {reason}{moved}")));
        }
        self.last_gone = Some(reason.to_owned());
    }
}
