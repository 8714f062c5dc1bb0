//! The scheduler's decisions.
//!
//! No rule depends on time, so no input carries any. Equal inputs give equal effects.

use std::collections::BTreeMap;

use flotilla_messages::{CaseId, Entry, Place, StopReason, TestName};

use super::table::{Index, Table};
use crate::executor::{Ending, ExecutorId, Lease, LeaseId};

/// A test that took down so many executors is not tried again.
const STRIKES: usize = 2;

/// What the scheduler hears.
#[derive(Debug)]
pub enum Input {
    /// These tests were found.
    Found(Vec<Entry>),
    /// There are no more.
    AllFound,
    /// An executor offers itself.
    Joined {
        /// Its number, not used before.
        executor: ExecutorId,
        /// Where it runs tests.
        place: Place,
        /// How many leases it takes at a time.
        credit: usize,
        /// How many of these may be HEAVY; 0 counts as 1.
        max_heavy: usize,
    },
    /// An executor takes so many leases at a time from now on.
    Ready {
        /// Which.
        executor: ExecutorId,
        /// How many.
        credit: usize,
    },
    /// A test's process is about to be started.
    Started {
        /// Who says so.
        executor: ExecutorId,
        /// Its lease.
        lease: LeaseId,
        /// Its names.
        name: TestName,
    },
    /// A lease has ended.
    Finished {
        /// Who says so.
        executor: ExecutorId,
        /// Which lease.
        lease: LeaseId,
        /// How it ended.
        ending: Ending,
    },
    /// An executor is gone.
    Lost {
        /// Which.
        executor: ExecutorId,
        /// Why.
        reason: String,
    },
    /// Nothing more is to be started, and what runs is to be ended. A second one may be more urgent.
    Stop {
        /// Why, unless the run is being given up.
        reason: Option<StopReason>,
        /// At once.
        kill: bool,
    },
}

/// What the scheduler has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// These leases go to this executor.
    Assign {
        /// Which executor.
        executor: ExecutorId,
        /// In the order to start them.
        leases: Vec<Lease>,
    },
    /// This executor is to end everything.
    StopExecutor {
        /// Which.
        executor: ExecutorId,
        /// At once.
        kill: bool,
    },
    /// So many tests are known.
    Known {
        /// How many.
        tests: u64,
        /// Whether there are no more.
        complete: bool,
    },
    /// A test begins.
    Started {
        /// Which.
        test: CaseId,
        /// Its names.
        name: TestName,
    },
    /// A test has its verdict. One for each test.
    Verdict {
        /// Which.
        test: CaseId,
        /// How it ended; never [`Ending::Withdrawn`] or [`Ending::Unable`].
        ending: Ending,
        /// Where.
        place: Place,
        /// Which attempt it was.
        attempt: u32,
    },
    /// A test's verdict is CRASH: executors went down with it.
    TookDown {
        /// Which.
        test: CaseId,
        /// How many attempts there were.
        attempts: u32,
        /// What happened to each executor.
        history: Vec<String>,
        /// Where it was last.
        place: Place,
    },
    /// The run stops.
    Stopping(StopReason),
    /// Tests are left and no executor is.
    Stuck {
        /// What happened to the last one.
        reason: String,
    },
    /// Nothing runs and nothing will. Comes once, last.
    Over {
        /// Tests without a verdict.
        not_run: u64,
        /// Whether all tests had been found.
        all_found: bool,
    },
}

struct Executor {
    place: Place,
    credit: usize,
    max_heavy: usize,
    /// Leases it has.
    leased: usize,
    /// Of these: heavy ones.
    heavy: usize,
}

struct Leased {
    index: Index,
    executor: ExecutorId,
    attempt: u32,
    started: bool,
}

/// The scheduler without its actor.
#[derive(Default)]
pub struct Core {
    table: Table,
    all_found: bool,
    executors: BTreeMap<ExecutorId, Executor>,
    leases: BTreeMap<LeaseId, Leased>,
    last_lease: u64,
    /// Attempts so far of tests that needed more than one.
    attempts: BTreeMap<Index, u32>,
    /// Executors that were lost while they ran the test.
    strikes: BTreeMap<Index, Vec<String>>,
    stopping: bool,
    killing: bool,
    over: bool,
}

impl Core {
    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        if self.over {
            return;
        }
        match input {
            Input::Found(entries) => {
                for entry in entries {
                    self.table.add(entry);
                }
                effects.push(Effect::Known { tests: self.table.len(), complete: false });
            }
            Input::AllFound => {
                if !self.all_found {
                    self.all_found = true;
                    effects.push(Effect::Known { tests: self.table.len(), complete: true });
                }
            }
            Input::Joined { executor, place, credit, max_heavy } => {
                let max_heavy = max_heavy.max(1);
                let joined = Executor { place, credit, max_heavy, leased: 0, heavy: 0 };
                self.executors.entry(executor).or_insert(joined);
                if self.stopping {
                    effects.push(Effect::StopExecutor { executor, kill: self.killing });
                }
            }
            Input::Ready { executor, credit } => {
                if let Some(executor) = self.executors.get_mut(&executor) {
                    executor.credit = credit;
                }
            }
            Input::Started { executor, lease, name } => {
                if let Some(leased) = self.leases.get_mut(&lease)
                    && leased.executor == executor
                {
                    leased.started = true;
                    effects.push(Effect::Started { test: self.table.id(leased.index), name });
                }
            }
            Input::Finished { executor, lease, ending } => self.finished(executor, lease, ending, effects),
            Input::Lost { executor, reason } => self.lost(executor, &reason, effects),
            Input::Stop { reason, kill } => self.stop(reason, kill, effects),
        }
        self.assign(effects);
        let nothing_waits = self.stopping || (self.all_found && self.table.none_waits());
        if nothing_waits && self.leases.is_empty() {
            self.over = true;
            let not_run = self.table.len() - self.table.done();
            effects.push(Effect::Over { not_run, all_found: self.all_found });
        }
    }

    /// Whether an executor could begin a test if one were found right now.
    pub fn hungry(&self) -> bool {
        !self.stopping
            && !self.all_found
            && self.table.none_waits()
            && self.executors.values().any(|executor| executor.leased < executor.credit)
    }

    fn finished(&mut self, executor: ExecutorId, lease: LeaseId, ending: Ending, effects: &mut Vec<Effect>) {
        // A lease that was taken from a lost executor and given to another one is of no interest any more.
        if self.leases.get(&lease).is_none_or(|leased| leased.executor != executor) {
            log::debug!("a result for {lease:?} came too late");
            return;
        }
        let Some(leased) = self.leases.remove(&lease) else { return };
        self.return_credit(&leased);
        match ending {
            Ending::Withdrawn | Ending::Unable { .. } if self.stopping => {}
            // The executor had its reasons; the test is still to be run.
            Ending::Withdrawn | Ending::Unable { .. } => self.put_back(&leased),
            ending if !self.table.is_done(leased.index) => {
                self.table.set_done(leased.index);
                effects.push(Effect::Verdict {
                    test: self.table.id(leased.index),
                    ending,
                    place: self.place(executor),
                    attempt: leased.attempt,
                });
            }
            _ => log::debug!("a second result for {:?} is ignored", self.table.id(leased.index)),
        }
    }

    fn lost(&mut self, executor: ExecutorId, reason: &str, effects: &mut Vec<Effect>) {
        let Some(gone) = self.executors.remove(&executor) else { return };
        let had: Vec<LeaseId> = self
            .leases
            .iter()
            .filter(|(_, leased)| leased.executor == executor)
            .map(|(&lease, _)| lease)
            .collect();
        let had: Vec<Leased> = had.iter().filter_map(|lease| self.leases.remove(lease)).collect();
        // Only what ran can have taken the executor down. If nothing is known to have run, it may have been any.
        let none_started = !had.iter().any(|leased| leased.started);
        // From the back, since each goes to the front.
        for leased in had.into_iter().rev() {
            if self.stopping || self.table.is_done(leased.index) {
                continue;
            }
            if leased.started || none_started {
                let strikes = self.strikes.entry(leased.index).or_default();
                strikes.push(reason.to_owned());
                if strikes.len() >= STRIKES {
                    self.table.set_done(leased.index);
                    effects.push(Effect::TookDown {
                        test: self.table.id(leased.index),
                        attempts: leased.attempt,
                        history: strikes.clone(),
                        place: gone.place.clone(),
                    });
                    continue;
                }
            }
            self.put_back(&leased);
        }
        let work_left = !self.all_found || !self.table.none_waits();
        if self.executors.is_empty() && work_left && !self.stopping {
            self.stopping = true;
            effects.push(Effect::Stuck { reason: reason.to_owned() });
        }
    }

    fn stop(&mut self, reason: Option<StopReason>, kill: bool, effects: &mut Vec<Effect>) {
        if self.stopping && (self.killing || !kill) {
            return;
        }
        if let (false, Some(reason)) = (self.stopping, reason) {
            effects.push(Effect::Stopping(reason));
        }
        self.stopping = true;
        self.killing = kill;
        effects.extend(self.executors.keys().map(|&executor| Effect::StopExecutor { executor, kill }));
    }

    /// Gives every executor what its credit allows.
    fn assign(&mut self, effects: &mut Vec<Effect>) {
        if self.stopping {
            return;
        }
        for (&id, executor) in &mut self.executors {
            let mut leases = Vec::new();
            while executor.leased < executor.credit {
                let Some(index) = self.table.next(executor.heavy < executor.max_heavy) else { break };
                if self.table.is_done(index) {
                    continue;
                }
                self.last_lease += 1;
                let lease = LeaseId(self.last_lease);
                let attempt = self.attempts.get(&index).map_or(1, |attempts| attempts + 1);
                executor.leased += 1;
                executor.heavy += usize::from(self.table.is_heavy(index));
                self.leases.insert(lease, Leased { index, executor: id, attempt, started: false });
                leases.push(Lease { id: lease, test: self.table.id(index), attempt });
            }
            if !leases.is_empty() {
                effects.push(Effect::Assign { executor: id, leases });
            }
        }
    }

    fn put_back(&mut self, leased: &Leased) {
        self.attempts.insert(leased.index, leased.attempt);
        self.table.put_back(leased.index);
    }

    fn return_credit(&mut self, leased: &Leased) {
        if let Some(executor) = self.executors.get_mut(&leased.executor) {
            executor.leased = executor.leased.saturating_sub(1);
            if self.table.is_heavy(leased.index) {
                executor.heavy = executor.heavy.saturating_sub(1);
            }
        }
    }

    fn place(&self, executor: ExecutorId) -> Place {
        self.executors.get(&executor).map_or(Place::Local, |executor| executor.place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::Failed;

    const HERE: ExecutorId = ExecutorId(0);

    fn handled(core: &mut Core, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        core.handle(input, &mut effects);
        effects
    }

    fn found(ids: &[u64]) -> Input {
        let entry = |&id| Entry { id: CaseId(id), slow: false, heavy: id >= 100, history_key: 0 };
        Input::Found(ids.iter().map(entry).collect())
    }

    fn join(core: &mut Core, executor: ExecutorId, credit: usize) -> Vec<Effect> {
        handled(core, Input::Joined { executor, place: Place::Local, credit, max_heavy: 1 })
    }

    fn leases(effects: &[Effect]) -> Vec<(u64, u64, u32)> {
        let of = |effect: &Effect| match effect {
            Effect::Assign { leases, .. } => leases.clone(),
            _ => Vec::new(),
        };
        effects.iter().flat_map(of).map(|lease| (lease.id.0, lease.test.0, lease.attempt)).collect()
    }

    fn finish(lease: u64) -> Input {
        let ending = Ending::Failed(Box::new(Failed::nameless(CaseId(0), "x".into())));
        Input::Finished { executor: HERE, lease: LeaseId(lease), ending }
    }

    fn started(executor: ExecutorId, lease: u64) -> Input {
        let name = Failed::nameless(CaseId(0), String::new()).name;
        Input::Started { executor, lease: LeaseId(lease), name }
    }

    #[test]
    fn running_starts_before_listing_ends_and_ends_after_it() {
        let mut core = Core::default();
        join(&mut core, HERE, 2);
        assert!(core.hungry());
        let effects = handled(&mut core, found(&[7, 8, 9]));
        assert_eq!(leases(&effects), [(1, 7, 1), (2, 8, 1)]);
        assert!(!core.hungry());
        assert_eq!(leases(&handled(&mut core, finish(1))), [(3, 9, 1)]);
        handled(&mut core, finish(2));
        assert!(core.hungry());
        handled(&mut core, finish(3));
        let effects = handled(&mut core, Input::AllFound);
        assert_eq!(effects.last(), Some(&Effect::Over { not_run: 0, all_found: true }));
        assert_eq!(handled(&mut core, Input::AllFound), []);
    }

    #[test]
    fn heavy_tests_run_one_at_a_time() {
        let mut core = Core::default();
        join(&mut core, HERE, 3);
        let effects = handled(&mut core, found(&[100, 101, 1]));
        assert_eq!(leases(&effects), [(1, 100, 1), (2, 1, 1)]);
        assert_eq!(leases(&handled(&mut core, finish(2))), []);
        assert_eq!(leases(&handled(&mut core, finish(1))), [(3, 101, 1)]);
    }

    #[test]
    fn a_stop_waits_for_what_runs_and_counts_what_did_not() {
        let mut core = Core::default();
        join(&mut core, HERE, 1);
        handled(&mut core, found(&[1, 2]));
        let stop = |kill| Input::Stop { reason: Some(StopReason::Interrupted), kill };
        let stopping = Effect::Stopping(StopReason::Interrupted);
        let stop_here = |kill| Effect::StopExecutor { executor: HERE, kill };
        assert_eq!(handled(&mut core, stop(false)), [stopping, stop_here(false)]);
        assert_eq!(handled(&mut core, stop(false)), []);
        assert_eq!(handled(&mut core, stop(true)), [stop_here(true)]);
        let ended = Input::Finished { executor: HERE, lease: LeaseId(1), ending: Ending::Withdrawn };
        assert_eq!(handled(&mut core, ended), [Effect::Over { not_run: 2, all_found: false }]);
    }

    #[test]
    fn what_a_lost_executor_had_is_leased_again_in_order() {
        let mut core = Core::default();
        join(&mut core, ExecutorId(1), 2);
        handled(&mut core, found(&[1, 2, 3]));
        join(&mut core, HERE, 1);
        handled(&mut core, started(ExecutorId(1), 1));
        let lost = Input::Lost { executor: ExecutorId(1), reason: "gone".into() };
        assert_eq!(leases(&handled(&mut core, lost)), []);
        assert_eq!(leases(&handled(&mut core, finish(3))), [(4, 1, 2)]);
        let late = Input::Finished { executor: ExecutorId(1), lease: LeaseId(1), ending: Ending::Withdrawn };
        assert_eq!(handled(&mut core, late), []);
        assert_eq!(leases(&handled(&mut core, finish(4))), [(5, 2, 2)]);
    }

    #[test]
    fn a_test_that_took_down_two_executors_is_a_crash_and_the_bystanders_are_not() {
        let mut core = Core::default();
        join(&mut core, HERE, 0);
        handled(&mut core, found(&[1, 2]));
        handled(&mut core, Input::AllFound);
        let mut crashed = Vec::new();
        for round in 1..=2 {
            let executor = ExecutorId(round);
            let given = leases(&join(&mut core, executor, 2));
            let killer = given.iter().find(|(_, test, _)| *test == 1).unwrap().0;
            handled(&mut core, started(executor, killer));
            crashed = handled(&mut core, Input::Lost { executor, reason: format!("end {round}") });
        }
        let history = vec!["end 1".to_owned(), "end 2".to_owned()];
        let expected = Effect::TookDown { test: CaseId(1), attempts: 2, history, place: Place::Local };
        assert_eq!(crashed, [expected]);
        let ready = Input::Ready { executor: HERE, credit: 2 };
        assert_eq!(leases(&handled(&mut core, ready)), [(5, 2, 3)]);
    }

    #[test]
    fn losing_the_last_executor_is_said_and_ends_the_run() {
        let mut core = Core::default();
        join(&mut core, HERE, 1);
        handled(&mut core, found(&[1]));
        let effects = handled(&mut core, Input::Lost { executor: HERE, reason: "gone".into() });
        let over = Effect::Over { not_run: 1, all_found: false };
        assert_eq!(effects, [Effect::Stuck { reason: "gone".into() }, over]);
    }
}
