//! Which results and which peers are believed: unexpected ones are confirmed here, and who is unable to run tests, or
//! runs them otherwise than this machine, gets no more.

use flotilla_messages::{EventKind, Outcome, PeerNews, PeerPart, Place};

use super::core::{Core, Leased};
use super::effect::Effect;
use super::explain::taken_back;
use super::policy::ConfirmFailures;
use super::table::Index;
use super::unrun::Unrun;
use crate::execution::executor::{ExecutorId, LeaseId};
use crate::run::aggregator::Attempt;

/// An executor of which this many leases in a row ended [`LeaseResult::Unable`] gets no more.
const MOST_UNABLE: u32 = 3;
/// A peer of which this many unexpected results were as expected here gets no more.
const MOST_DIFFERENCES: u32 = 3;

/// A peer with this many unconfirmed failures gets no leases until as many are confirmed, so that a broken peer cannot
/// drain the queue.
const MOST_PENDING: usize = 3;

/// What is thought of a peer.
#[derive(Default)]
pub(super) struct PeerReliability {
    /// Unexpected results that are being confirmed.
    pending: usize,
    /// Those that were unexpected here, too.
    same: usize,
    /// Those that were as expected here.
    differences: u32,
}

/// An unexpected result of a peer that is being confirmed.
pub(super) struct Held {
    pub(super) tried: Attempt,
    pub(super) peer: String,
    /// The lease that is to confirm it, once it is out.
    pub(super) here: Option<LeaseId>,
}

impl Core {
    /// Whether one more unexpected result of this peer is to be confirmed. One that was found to differ is not believed,
    /// however many others were right.
    pub(super) fn may_confirm(&self, peer: &str) -> bool {
        let differs = self.standings.get(peer).is_some_and(|standing| standing.differences > 0);
        let wanted = self.confirm_failures.one_more(self.confirmed)
            || (differs && self.confirm_failures != ConfirmFailures::Off);
        wanted && self.stopping.is_none() && self.can_confirm()
    }

    fn can_confirm(&self) -> bool {
        self.executors.values().any(|executor| executor.is_local() && executor.credit > 0)
    }

    /// A peer's unexpected result waits for this machine's own.
    pub(super) fn hold(&mut self, leased: &Leased, mut held: Held) {
        let index = leased.index;
        for lease in self.copies.remove(&index).unwrap_or_default() {
            let is_local =
                self.leases.get(&lease).is_some_and(|other| self.place(other.executor) == Place::Local);
            if is_local && held.here.is_none() {
                held.here = Some(lease);
            } else {
                self.withdraw(lease);
            }
        }
        self.tried(index, leased.attempt);
        if held.here.is_none() {
            self.to_confirm.push_back(index);
        }
        let peer = held.peer.clone();
        self.held.insert(index, held);
        self.think_of(&peer, |standing| standing.pending += 1);
    }

    /// A result that cannot be confirmed counts as it is. Nothing if this test has none.
    pub(super) fn release(&mut self, index: Index, effects: &mut Vec<Effect>) {
        let Some(Held { tried, peer, here }) = self.held.remove(&index) else { return };
        self.think_of(&peer, |standing| standing.pending = standing.pending.saturating_sub(1));
        if let Some(lease) = here {
            self.withdraw(lease);
        }
        self.believed(index, tried, None, effects);
    }

    /// Nobody is here any more who could confirm.
    pub(super) fn release_unconfirmable(&mut self, effects: &mut Vec<Effect>) {
        if self.held.is_empty() || self.can_confirm() {
            return;
        }
        for index in std::mem::take(&mut self.to_confirm) {
            self.release(index, effects);
        }
    }

    /// A result of this peer was confirmed, or it was as expected here.
    pub(super) fn settle(&mut self, peer: String, differs: bool, effects: &mut Vec<Effect>) {
        let differences = self.think_of(&peer, |standing| {
            standing.pending = standing.pending.saturating_sub(1);
            if differs {
                standing.differences += 1;
            } else {
                standing.same += 1;
            }
            standing.differences
        });
        if differs {
            if differences >= MOST_DIFFERENCES {
                let why = format!("{differences} tests that failed there are as expected here");
                self.quarantine(peer, &why, effects);
            }
            return;
        }
        self.confirmed += 1;
        // With the last one that was to be confirmed, those are believed that wait for it.
        for index in std::mem::take(&mut self.to_confirm) {
            let believed = self.held.get(&index).is_none_or(|held| !self.may_confirm(&held.peer));
            if believed {
                self.release(index, effects);
            } else {
                self.to_confirm.push_back(index);
            }
        }
    }

    /// Changes what is thought of a peer, and what follows for its executors.
    fn think_of<T>(&mut self, peer: &str, change: impl FnOnce(&mut PeerReliability) -> T) -> T {
        let standing = self.standings.entry(peer.to_owned()).or_default();
        let changed = change(standing);
        let in_doubt = standing.pending >= MOST_PENDING && standing.same < MOST_PENDING;
        for executor in self.executors.values_mut() {
            if matches!(&executor.place, Place::Peer(name) if name == peer) {
                executor.in_doubt = in_doubt;
            }
        }
        changed
    }

    /// What this machine cannot run has failed: so it would be without peers.
    pub(super) fn nobody_can(&mut self, leased: &Leased, reasons: Vec<String>, effects: &mut Vec<Effect>) {
        let place = self.place(leased.executor);
        self.fails_unrun(leased.index, unable(&reasons, place, leased.attempt), effects);
    }

    /// A peer says that it cannot run this test: another one is to try.
    pub(super) fn was_unable(
        &mut self,
        leased: &Leased,
        alone: bool,
        reason: String,
        effects: &mut Vec<Effect>,
    ) {
        let Some(executor) = self.executors.get_mut(&leased.executor) else { return };
        let Place::Peer(peer) = executor.place.clone() else { return };
        executor.unable += 1;
        let worn_out = executor.unable >= MOST_UNABLE;
        self.tried(leased.index, leased.attempt);
        let unable = self.unable.entry(leased.index).or_default();
        unable.insert(leased.executor, format!("{peer}: {reason}"));
        if alone {
            self.because_unable(leased.index);
        }
        if alone {
            self.elsewhere.push_back(leased.index);
        }
        if worn_out {
            self.quarantine(peer, &reason, effects);
        }
    }

    /// The peer gets no more; what it has goes to others.
    fn quarantine(&mut self, peer: String, why: &str, effects: &mut Vec<Effect>) {
        let there: Vec<ExecutorId> = self
            .executors
            .iter()
            .filter(|(_, executor)| matches!(&executor.place, Place::Peer(name) if *name == peer))
            .map(|(&executor, _)| executor)
            .collect();
        if !self.quarantined.insert(peer.clone()) {
            return;
        }
        effects.push(Effect::notice(format!("{peer} gets no more tests: {why}")));
        let part = PeerPart::Out { reason: why.to_owned() };
        effects.push(Effect::event(EventKind::Peer(PeerNews { peer: peer.clone(), part })));
        for executor in there {
            effects.push(Effect::StopExecutor { executor, kill: true });
            let (_, had) = self.remove(executor);
            for (leased, alone) in had.into_iter().rev() {
                if self.reruns.has(leased.index) {
                    self.not_again(leased.index, effects);
                } else if alone && self.stopping.is_none() {
                    let from = Place::Peer(peer.clone());
                    self.because(leased.index, |_| taken_back(from, "it gets no more tests"));
                    self.put_back(&leased);
                }
            }
        }
        self.last_gone = Some(format!("{peer} gets no more tests: {why}"));
    }

    /// A test that all executors were unable to run is not waited for when nothing else is left: until then, another
    /// executor may join.
    pub(super) fn give_up(&mut self, effects: &mut Vec<Effect>) {
        let busy = !self.all_found || self.table.waiting() > 0 || self.live > 0 || self.any_stays();
        if busy || self.elsewhere.is_empty() || self.executors.is_empty() {
            return;
        }
        for index in std::mem::take(&mut self.elsewhere) {
            let peers = self.unable.get(&index);
            let may = |executor| peers.is_none_or(|peers| !peers.contains_key(executor));
            if self.executors.keys().any(may) {
                self.elsewhere.push_back(index);
                continue;
            }
            let reasons: Vec<String> =
                peers.map(|peers| peers.values().cloned().collect()).unwrap_or_default();
            let last = peers.and_then(|peers| peers.keys().next()).copied();
            let place = last.map_or(Place::Local, |executor| self.place(executor));
            let attempts = self.attempts.get(&index).copied().unwrap_or(1);
            self.fails_unrun(index, unable(&reasons, place, attempts), effects);
        }
    }
}

/// The verdict on a test that this machine, or no peer, can run; `reasons` name the peers.
fn unable(reasons: &[String], place: Place, attempt: u32) -> Unrun {
    let reason = format!("cannot run the test: {}", reasons.join("; "));
    Unrun { outcome: Outcome::Fail, reason, place, attempt }
}
