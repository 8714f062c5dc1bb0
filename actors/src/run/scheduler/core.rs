//! The scheduler's decisions.
//!
//! No clock: each input comes with the time. Equal inputs at equal times give equal effects.
//!
//! A test that was found is in exactly one of these states: it waits; it is leased, perhaps to several executors; its
//! unexpected result of a peer is held until this machine confirms it; it was unexpected and is to be run again; it has
//! its verdict. Only a lease that is *live* counts: one that was withdrawn still takes up its executor's credit until it is answered, and that is all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use flotilla_messages::{CaseId, EventKind, Place, StopReason, Times};

use super::capacity::{Answered, Executor};
use super::confirmation::{Held, PeerReliability};
use super::effect::{Effect, Input};
use super::explain::{Explanations, taken_back};
use super::limit::Failures;
use super::lost::Strikes;
use super::policy::{ConfirmFailures, History, NoHistory};
use super::rerun::RerunQueue;
use super::table::{Index, Table};
use super::unrun::UnrunVerdicts;
use crate::execution::executor::{ExecutorEvent, ExecutorEventKind, ExecutorId, Lease, LeaseId, LeaseResult};
use crate::run::aggregator::{AggregatorMsg, Attempt};

/// This long are peers waited for when the run stops early. This machine's own tests are waited for until they end.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// The mean length of tests follows about this many of them.
const TYPICAL_SAMPLES: u32 = 256;

/// A lease that is out.
pub(super) struct Leased {
    pub(super) index: Index,
    pub(super) executor: ExecutorId,
    pub(super) attempt: u32,
    pub(super) since: Instant,
    pub(super) started: Option<Instant>,
    /// How long it waited at its executor, as that says.
    pub(super) queued: Option<Duration>,
    /// Not withdrawn: its result counts.
    pub(super) live: bool,
}

/// The scheduler without its actor.
pub struct Core {
    pub(super) confirm_failures: ConfirmFailures,
    pub(super) history: Box<dyn History>,
    pub(super) table: Table,
    pub(super) all_found: bool,
    pub(super) executors: BTreeMap<ExecutorId, Executor>,
    pub(super) leases: BTreeMap<LeaseId, Leased>,
    /// How many of these are live.
    pub(super) live: usize,
    /// The live leases of tests that have, or had, more than one.
    pub(super) copies: BTreeMap<Index, Vec<LeaseId>>,
    pub(super) last_lease: u64,
    /// Attempts so far of tests that needed more than one.
    pub(super) attempts: BTreeMap<Index, u32>,
    /// Executors that were lost while they ran the test.
    pub(super) strikes: BTreeMap<Index, Strikes>,
    /// Tests that peers were lost with: they run on this machine, if any do.
    pub(super) kept_home: BTreeSet<Index>,
    /// Executors that could not run the test, and why.
    pub(super) unable: BTreeMap<Index, BTreeMap<ExecutorId, String>>,
    /// Tests that wait for an executor that has not been unable to run them.
    pub(super) elsewhere: VecDeque<Index>,
    /// Results that are being confirmed.
    pub(super) held: BTreeMap<Index, Held>,
    /// Of these: not leased yet.
    pub(super) to_confirm: VecDeque<Index>,
    /// Unexpected results that were unexpected here, too.
    pub(super) confirmed: u32,
    /// Tests that were unexpected and are run again.
    pub(super) reruns: RerunQueue,
    /// What counts towards the limit of failures.
    pub(super) failures: Failures,
    /// Verdicts without a result, which wait for their tests' names.
    pub(super) unrun: UnrunVerdicts,
    /// In the order in which tests were found, SLOW ones and long ones too.
    pub(super) unsorted: bool,
    /// What is thought of peers that had unexpected results, by name.
    pub(super) standings: BTreeMap<String, PeerReliability>,
    /// Peers that get no more.
    pub(super) quarantined: BTreeSet<String>,
    /// Seconds that a test takes, and of how many that is the mean.
    typical: f64,
    samples: u32,
    /// What is to be said at the end of an input, by executor.
    pub(super) withdrawals: BTreeMap<ExecutorId, Vec<LeaseId>>,
    pub(super) assignments: BTreeMap<ExecutorId, Vec<Lease>>,
    /// Why tests are given to whom, if that is to be explained.
    pub(super) explanations: Option<Explanations>,
    /// What happened to the executor that went last.
    pub(super) last_gone: Option<String>,
    pub(super) stopping: Option<Instant>,
    killing: bool,
    over: bool,
}

impl Default for Core {
    fn default() -> Self {
        Self::new(ConfirmFailures::default(), Box::new(NoHistory))
    }
}

impl Core {
    /// For a run that begins.
    pub fn new(confirm_failures: ConfirmFailures, history: Box<dyn History>) -> Self {
        Self {
            confirm_failures,
            history,
            table: Table::default(),
            all_found: false,
            executors: BTreeMap::new(),
            leases: BTreeMap::new(),
            live: 0,
            copies: BTreeMap::new(),
            last_lease: 0,
            attempts: BTreeMap::new(),
            strikes: BTreeMap::new(),
            kept_home: BTreeSet::new(),
            unable: BTreeMap::new(),
            elsewhere: VecDeque::new(),
            held: BTreeMap::new(),
            to_confirm: VecDeque::new(),
            confirmed: 0,
            reruns: RerunQueue::default(),
            failures: Failures::default(),
            unrun: UnrunVerdicts::new(),
            unsorted: false,
            standings: BTreeMap::new(),
            quarantined: BTreeSet::new(),
            typical: 0.0,
            samples: 0,
            withdrawals: BTreeMap::new(),
            assignments: BTreeMap::new(),
            explanations: None,
            last_gone: None,
            stopping: None,
            killing: false,
            over: false,
        }
    }

    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        if self.over {
            return;
        }
        let look_for_late = matches!(
            input,
            Input::Tick | Input::Executor(ExecutorEvent { kind: ExecutorEventKind::Suspected, .. })
        );
        self.take_in(now, input, effects);
        self.stop_at_limit(now, effects);
        if self.stopping.is_none() {
            let told = LeaseId(self.last_lease);
            self.assign(now);
            self.relieve(now, told, look_for_late);
            self.give_up(effects);
            self.notice_stuck(now, effects);
        }
        self.flush(effects);
        self.give_up_reading(now, effects);
        self.end(now, effects);
    }

    /// How many tests have been found so far.
    pub fn found(&self) -> u64 {
        self.table.len()
    }

    /// Whether an executor could begin a test if one were found right now.
    pub fn hungry(&self) -> bool {
        self.stopping.is_none()
            && !self.all_found
            && self.table.waiting() == 0
            && self.executors.values().any(Executor::has_credit)
    }

    /// Whether [`Input::Tick`] is of any use.
    pub fn wants_ticks(&self) -> bool {
        !self.over && (self.executors.len() > 1 || self.stopping.is_some())
    }

    /// Whether no more tests are to be found: the run stops, or is over.
    pub fn is_ending(&self) -> bool {
        self.over || self.stopping.is_some()
    }

    fn take_in(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Found(entries) => {
                for mut entry in entries {
                    let mut expected = self.history.expected(entry.history_key);
                    if self.unsorted {
                        (entry.slow, expected) = (false, None);
                    }
                    self.table.add(entry, expected);
                }
                let tests = self.table.len();
                effects.push(Effect::event(EventKind::Listed { tests, complete: false }));
            }
            Input::AllFound => {
                if !self.all_found {
                    self.all_found = true;
                    let tests = self.table.len();
                    effects.push(Effect::event(EventKind::Listed { tests, complete: true }));
                }
            }
            Input::Joined { executor, place, credit, max_heavy } => {
                let barred = matches!(&place, Place::Peer(peer) if self.quarantined.contains(peer));
                if self.stopping.is_some() || barred {
                    effects.push(Effect::StopExecutor { executor, kill: self.killing });
                }
                if !barred {
                    let joined = Executor::new(place, credit, max_heavy);
                    self.executors.entry(executor).or_insert(joined);
                }
            }
            Input::Rated { executor, permille } => {
                if let Some(executor) = self.executors.get_mut(&executor) {
                    executor.rated = Some(f64::from(permille.max(1)) / 1000.0);
                }
            }
            Input::Executor(ExecutorEvent { executor, kind: what }) => {
                self.executor_reports(now, executor, what, effects);
            }
            Input::CaseRead(read) => self.case_read(read, effects),
            Input::Tick => {}
            Input::Stop { reason, kill } => self.stop(now, reason, kill, effects),
        }
    }

    fn executor_reports(
        &mut self,
        now: Instant,
        executor: ExecutorId,
        what: ExecutorEventKind,
        effects: &mut Vec<Effect>,
    ) {
        match what {
            ExecutorEventKind::Ready { credit } => {
                if let Some(entry) = self.executors.get_mut(&executor) {
                    entry.credit = credit;
                    let excess = entry.live().saturating_sub(credit);
                    self.take_back(executor, excess, "it takes fewer than before");
                }
                self.release_unconfirmable(effects);
            }
            ExecutorEventKind::Started { lease, name } => {
                if let Some(leased) = self.leases.get_mut(&lease)
                    && leased.executor == executor
                    && leased.started.is_none()
                {
                    leased.started = Some(now);
                    let (index, live) = (leased.index, leased.live);
                    if let Some(executor) = self.executors.get_mut(&executor) {
                        executor.starts();
                    }
                    // Told once while it is out, wherever else it starts.
                    if live && !self.copies.contains_key(&index) && !self.held.contains_key(&index) {
                        let test = self.table.id(index);
                        effects.push(Effect::event(EventKind::Started { test, name }));
                    }
                }
            }
            ExecutorEventKind::Queued { lease, queued } => {
                if let Some(leased) = self.leases.get_mut(&lease).filter(|leased| leased.executor == executor)
                {
                    leased.queued = Some(queued);
                }
            }
            ExecutorEventKind::Finished { lease, ending } => {
                self.finished(now, executor, lease, ending, effects);
            }
            ExecutorEventKind::Suspected => self.suspected(executor),
            ExecutorEventKind::Recovered => {
                if let Some(executor) = self.executors.get_mut(&executor) {
                    executor.suspected = false;
                }
            }
            ExecutorEventKind::Lost { reason } => self.lost(now, executor, &reason, effects),
        }
    }

    fn finished(
        &mut self,
        now: Instant,
        executor: ExecutorId,
        lease: LeaseId,
        ending: LeaseResult,
        effects: &mut Vec<Effect>,
    ) {
        // A lease that was taken from a lost executor and given to another one is of no interest any more.
        if self.leases.get(&lease).is_none_or(|leased| leased.executor != executor) {
            log::debug!("a result for {lease:?} came too late");
            return;
        }
        let Some(leased) = self.leases.remove(&lease) else { return };
        self.measure(now, &leased, &ending);
        if !leased.live {
            return;
        }
        let alone = self.forget_copy(lease, &leased);
        match ending {
            LeaseResult::Withdrawn | LeaseResult::Unable { .. } if self.held.contains_key(&leased.index) => {
                self.release(leased.index, effects);
            }
            LeaseResult::Withdrawn | LeaseResult::Unable { .. } if self.reruns.has(leased.index) => {
                self.not_again(leased.index, effects);
            }
            LeaseResult::Withdrawn | LeaseResult::Unable { .. } if self.stopping.is_some() => {}
            // The executor had its reasons; the test is still to be run.
            LeaseResult::Withdrawn if alone => {
                self.because(leased.index, |core| taken_back(core.place(executor), "it gave the test back"));
                self.put_back(&leased);
            }
            LeaseResult::Withdrawn => {}
            LeaseResult::Unable { reason } if self.place(executor) == Place::Local => {
                self.nobody_can(&leased, vec![reason], effects);
            }
            LeaseResult::Unable { reason } => self.was_unable(&leased, alone, reason, effects),
            ending => {
                let times = self.times(now, &leased, &ending);
                self.result(&leased, ending, times, effects);
            }
        }
    }

    /// Where the time went from the lease to this answer.
    fn times(&self, now: Instant, leased: &Leased, ending: &LeaseResult) -> Times {
        let since = |then: Instant, now: Instant| now.saturating_duration_since(then);
        let LeaseResult::Judged(judged) = ending else { return Times::default() };
        match self.place(leased.executor) {
            Place::Local => {
                let queued = leased.started.map_or(Duration::ZERO, |started| since(leased.since, started));
                Times { queued, transfer: Duration::ZERO }
            }
            Place::Peer(_) => {
                let queued = leased.queued.unwrap_or_default();
                Times::remote(since(leased.since, now), queued, judged.run.output.duration)
            }
        }
    }

    /// The executor's credit is returned, and what can be learnt of this answer is.
    fn measure(&mut self, now: Instant, leased: &Leased, ending: &LeaseResult) {
        let took = match ending {
            LeaseResult::Judged(judged) if leased.live => Some(judged.run.output.duration.as_secs_f64()),
            _ => None,
        };
        let typical = self.typical().max(1e-3);
        let work = took.map(|_| self.table.length(leased.index).seconds(typical) / typical);
        if let Some(took) = took {
            self.samples = (self.samples + 1).min(TYPICAL_SAMPLES);
            self.typical += (took - self.typical) / f64::from(self.samples);
        }
        let heavy = self.table.is_heavy(leased.index);
        if let Some(executor) = self.executors.get_mut(&leased.executor) {
            let (started, withdrawn) = (leased.started.is_some(), !leased.live);
            executor.answers(now, Answered { heavy, started, withdrawn, work });
            if matches!(ending, LeaseResult::Judged(_)) {
                executor.unable = 0;
            }
        }
    }

    /// The seconds that a test takes whose length is unknown.
    pub(super) fn typical(&self) -> f64 {
        if self.samples == 0 { 1.0 } else { self.typical }
    }

    /// Whether any test has told how long it took.
    pub(super) fn has_measured(&self) -> bool {
        self.samples > 0
    }

    fn result(&mut self, leased: &Leased, ending: LeaseResult, times: Times, effects: &mut Vec<Effect>) {
        let index = leased.index;
        let place = self.place(leased.executor);
        let tried = Attempt { ending, place, attempt: leased.attempt, times };
        let as_expected = tried.as_expected();
        if let Some(held) = self.held.remove(&index) {
            let differs_on = as_expected.then(|| held.peer.clone());
            self.believed(index, tried, differs_on, effects);
            self.settle(held.peer, as_expected, effects);
            return;
        }
        match &tried.place {
            Place::Peer(peer) if !as_expected && !self.reruns.has(index) && self.may_confirm(peer) => {
                let peer = peer.clone();
                self.hold(leased, Held { tried, peer, here: None });
            }
            _ => self.believed(index, tried, None, effects),
        }
    }

    /// The test has its verdict.
    pub(super) fn verdict(
        &mut self,
        index: Index,
        tried: Attempt,
        earlier: Vec<Attempt>,
        differs_on: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        if self.take_verdict(index) {
            self.give_verdict(self.table.id(index), tried, earlier, differs_on, effects);
        }
    }

    /// Whether this test has no verdict yet; from now on it has. The one place where a second result is refused.
    pub(super) fn take_verdict(&mut self, index: Index) -> bool {
        if self.table.is_done(index) {
            log::warn!("a second result for {:?} is ignored", self.table.id(index));
            return false;
        }
        self.done(index);
        true
    }

    /// After [`Core::take_verdict`], once.
    pub(super) fn give_verdict(
        &mut self,
        test: CaseId,
        tried: Attempt,
        earlier: Vec<Attempt>,
        differs_on: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        self.failures.verdict(tried.as_expected(), !earlier.is_empty());
        effects.push(Effect::Tell(AggregatorMsg::Verdict { test, tried, earlier, differs_on }));
    }

    /// Enough tests have failed. A run that has nothing left to do just ends.
    fn stop_at_limit(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.stopping.is_none() && self.failures.too_many() && !self.is_complete() {
            self.stop(now, Some(StopReason::TooManyFailures), false, effects);
        }
    }

    /// The test has its verdict: what else is out for it is of no interest.
    fn done(&mut self, index: Index) {
        self.table.set_done(index);
        for lease in self.copies.remove(&index).unwrap_or_default() {
            self.withdraw(lease);
        }
    }

    fn stop(&mut self, now: Instant, reason: Option<StopReason>, kill: bool, effects: &mut Vec<Effect>) {
        if self.stopping.is_some() && (self.killing || !kill) {
            return;
        }
        let first = self.stopping.is_none();
        self.stopping = self.stopping.or(Some(now));
        // Nobody waits for a second opinion any more, nor for a second attempt.
        self.to_confirm.clear();
        while let Some((&index, _)) = self.held.first_key_value() {
            self.release(index, effects);
        }
        self.none_again(effects);
        if let (true, Some(reason)) = (first, reason) {
            effects.push(Effect::event(EventKind::Stopping(reason)));
        }
        self.killing = kill;
        effects.extend(self.executors.keys().map(|&executor| Effect::StopExecutor { executor, kill }));
    }

    /// Tests are left, and the last executor has gone.
    fn notice_stuck(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.executors.is_empty()
            && self.work_left()
            && let Some(reason) = self.last_gone.take()
        {
            self.stopping = Some(now);
            effects.push(Effect::Stuck { reason });
        }
    }

    fn work_left(&self) -> bool {
        !self.all_found || self.table.waiting() > 0 || !self.elsewhere.is_empty() || self.any_stays()
    }

    /// Every test that was found has its verdict, and all were found.
    fn is_complete(&self) -> bool {
        !self.work_left() && self.live == 0 && self.unrun.is_empty()
    }

    /// After an input the orders: what is taken away, and what is given.
    fn flush(&mut self, effects: &mut Vec<Effect>) {
        for (executor, leases) in std::mem::take(&mut self.withdrawals) {
            effects.push(Effect::Withdraw { executor, leases });
        }
        self.tell_placements(effects);
        for (executor, leases) in std::mem::take(&mut self.assignments) {
            effects.push(Effect::Assign { executor, leases });
        }
    }

    fn end(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let ended = match self.stopping {
            None => self.is_complete(),
            // Our own tests have ended when we say so; peers get a little time for what they had finished.
            Some(since) => {
                let patient = now.saturating_duration_since(since) < STOP_PATIENCE;
                let waited_for =
                    |leased: &Leased| self.place(leased.executor) == Place::Local || (leased.live && patient);
                self.unrun.is_empty() && !self.leases.values().any(waited_for)
            }
        };
        if ended {
            self.over = true;
            let not_run = self.table.len() - self.table.done();
            effects.push(Effect::Tell(AggregatorMsg::Over { not_run, all_found: self.all_found }));
        }
    }

    /// The next lease of this test is another attempt.
    pub(super) fn tried(&mut self, index: Index, attempt: u32) {
        let attempts = self.attempts.entry(index).or_default();
        *attempts = (*attempts).max(attempt);
    }

    pub(super) fn put_back(&mut self, leased: &Leased) {
        self.tried(leased.index, leased.attempt);
        self.table.put_back(leased.index);
    }

    /// The executor is told that this lease is of no interest, and its result will not count. Says whether the test is
    /// now leased to nobody; what becomes of it then is the caller's.
    pub(super) fn withdraw(&mut self, lease: LeaseId) -> bool {
        let Some(leased) = self.leases.get_mut(&lease) else { return false };
        if !std::mem::replace(&mut leased.live, false) {
            return false;
        }
        let (index, executor) = (leased.index, leased.executor);
        self.withdrawals.entry(executor).or_default().push(lease);
        if let Some(executor) = self.executors.get_mut(&executor) {
            executor.withdrawn += 1;
        }
        self.live -= 1;
        self.drop_copy(lease, index)
    }

    /// A live lease is gone; whether its test is leased to nobody else.
    pub(super) fn forget_copy(&mut self, lease: LeaseId, leased: &Leased) -> bool {
        self.live -= 1;
        self.drop_copy(lease, leased.index)
    }

    fn drop_copy(&mut self, lease: LeaseId, index: Index) -> bool {
        let Some(copies) = self.copies.get_mut(&index) else { return true };
        copies.retain(|&copy| copy != lease);
        let none = copies.is_empty();
        if none {
            self.copies.remove(&index);
        }
        none
    }

    pub(super) fn place(&self, executor: ExecutorId) -> Place {
        self.executors.get(&executor).map_or(Place::Local, |executor| executor.place.clone())
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
