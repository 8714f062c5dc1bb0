//! Random histories of the scheduler's core: whatever executors do, every test gets exactly one result.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use flotilla_messages::{
    Captured, CaseId, Entry, EventKind, Exit, Judgement, Memory, Outcome, Output, Place, StopReason,
};
use proptest::prelude::*;

use super::core::Core;
use super::effect::{CaseRead, Effect, Input};
use super::policy::{ConfirmFailures, FailureLimit, NoHistory, Reruns};
use crate::execution::executor::{
    ExecutorEvent, ExecutorEventKind, ExecutorId, Failed, Judged, Lease, LeaseId, LeaseResult,
};
use crate::run::aggregator::AggregatorMsg;
use crate::run::fake;

/// The executor that never goes: this machine.
const STEADY: ExecutorId = ExecutorId(0);

#[derive(Clone, Copy, Debug)]
enum How {
    Pass,
    Fail,
    Withdrawn,
    Unable,
}

#[derive(Clone, Debug)]
enum Step {
    Find { heavy: Vec<bool>, slow: bool },
    AllFound,
    Join { credit: usize, max_heavy: usize, local: bool },
    Credit { executor: usize, credit: usize },
    Start { lease: usize },
    Finish { lease: usize, how: How },
    Lose { executor: usize },
    Suspect { executor: usize },
    Recover { executor: usize },
    Late { lease: usize },
    Wait { millis: u64 },
    Read,
    Stop { kill: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any_index = || any::<prop::sample::Index>().prop_map(|index| index.index(1000));
    let how = prop_oneof![
        6 => Just(How::Pass), 2 => Just(How::Fail), 1 => Just(How::Withdrawn), 2 => Just(How::Unable)
    ];
    let step = prop_oneof![
        3 => (prop::collection::vec(prop::bool::weighted(0.2), 0..8), any::<bool>())
            .prop_map(|(heavy, slow)| Step::Find { heavy, slow }),
        1 => Just(Step::AllFound),
        2 => (0..5_usize, 0..3_usize, prop::bool::weighted(0.2))
            .prop_map(|(credit, max_heavy, local)| Step::Join { credit, max_heavy, local }),
        1 => (any_index(), 0..5_usize).prop_map(|(executor, credit)| Step::Credit { executor, credit }),
        4 => any_index().prop_map(|lease| Step::Start { lease }),
        8 => (any_index(), how).prop_map(|(lease, how)| Step::Finish { lease, how }),
        1 => any_index().prop_map(|executor| Step::Lose { executor }),
        1 => any_index().prop_map(|executor| Step::Suspect { executor }),
        1 => any_index().prop_map(|executor| Step::Recover { executor }),
        1 => any_index().prop_map(|lease| Step::Late { lease }),
        3 => (0..30_000_u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Read),
    ];
    prop::collection::vec(step, 0..150)
}

/// An executor, kept beside the core.
struct Executor {
    local: bool,
    credit: usize,
    max_heavy: usize,
    /// What it was assigned and has not answered.
    has: Vec<Lease>,
}

/// What the world knows.
struct World {
    core: Core,
    now: Instant,
    known: u64,
    all_found: bool,
    heavy: BTreeSet<CaseId>,
    executors: BTreeMap<ExecutorId, Executor>,
    next_executor: u32,
    /// Answered, or lost with their executor.
    old: Vec<(ExecutorId, Lease)>,
    withdrawn: BTreeSet<LeaseId>,
    results: BTreeMap<CaseId, u32>,
    stopping: bool,
    over: Option<u64>,
    /// Attempts that were said to be followed by another one.
    again: BTreeMap<CaseId, u32>,
    reruns: Reruns,
    /// Tests whose verdicts wait for their cases.
    unread: Vec<CaseId>,
    limit: FailureLimit,
    /// Verdicts that count towards it.
    failures: u64,
}

impl World {
    fn new(confirm: ConfirmFailures, reruns: Reruns, limit: FailureLimit) -> Self {
        let mut world = Self {
            core: Core::new(confirm, Box::new(NoHistory)).with_reruns(reruns).with_limit(limit),
            now: Instant::now(),
            known: 0,
            all_found: false,
            heavy: BTreeSet::new(),
            executors: BTreeMap::new(),
            next_executor: 0,
            old: Vec::new(),
            withdrawn: BTreeSet::new(),
            results: BTreeMap::new(),
            stopping: false,
            over: None,
            again: BTreeMap::new(),
            reruns,
            unread: Vec::new(),
            limit,
            failures: 0,
        };
        world.join(2, 1, true);
        world
    }

    fn join(&mut self, credit: usize, max_heavy: usize, local: bool) {
        let executor = ExecutorId(self.next_executor);
        self.next_executor += 1;
        let place = if local { Place::Local } else { Place::Peer(format!("peer{}", executor.0)) };
        self.executors
            .insert(executor, Executor { local, credit, max_heavy: max_heavy.max(1), has: Vec::new() });
        self.handle(Input::Joined { executor, place, credit, max_heavy });
    }

    fn handle(&mut self, input: Input) {
        let mut effects = Vec::new();
        let was_over = self.over.is_some();
        let of_withdrawn = matches!(&input, Input::Executor(ExecutorEvent { kind: ExecutorEventKind::Finished { lease, .. }, .. }) if self.withdrawn.contains(lease));
        self.core.handle(self.now, input, &mut effects);
        assert!(!was_over || effects.is_empty(), "something happens after the end: {effects:?}");
        for effect in effects {
            match effect {
                Effect::Assign { executor, leases } => self.assigned(executor, leases),
                Effect::Withdraw { executor, leases } => {
                    let executor = self.executors.get(&executor).expect("a withdrawal for nobody");
                    for lease in leases {
                        assert!(executor.has.iter().any(|has| has.id == lease), "it does not have it");
                        assert!(self.withdrawn.insert(lease), "withdrawn twice");
                    }
                }
                Effect::StopExecutor { executor, .. } if !self.stopping => {
                    assert_ne!(executor, STEADY, "this machine is never given up");
                    self.remove(executor);
                }
                Effect::Tell(AggregatorMsg::Again { test, tried }) => {
                    assert!(!of_withdrawn, "a result of a withdrawn lease counts");
                    assert_eq!(tried.ending.as_expected(), Some(false), "good, and to be run again");
                    let again = self.again.entry(test).or_default();
                    *again += 1;
                    assert!(*again <= self.reruns.count, "run again too often");
                    assert!(self.again.len() as u64 <= self.reruns.most_tests, "too many tests");
                }
                Effect::Tell(AggregatorMsg::Verdict { test, tried, earlier, .. }) => {
                    let stopped = self.stopping;
                    assert!(
                        !of_withdrawn || !earlier.is_empty() || stopped,
                        "a result of a withdrawn lease counts"
                    );
                    let flaky = self.limit.flaky_counts && !earlier.is_empty();
                    self.failures += u64::from(!tried.as_expected() || flaky);
                    let again = self.again.get(&test).copied().unwrap_or_default() as usize;
                    assert!(earlier.len() == again || earlier.len() + 1 == again, "an attempt is lost");
                    *self.results.entry(test).or_default() += 1;
                }
                Effect::ReadCase(test) => {
                    assert!(!of_withdrawn, "a result of a withdrawn lease counts");
                    assert!(!self.unread.contains(&test) && !self.results.contains_key(&test));
                    self.unread.push(test);
                }
                Effect::Tell(AggregatorMsg::Event(EventKind::Stopping(StopReason::TooManyFailures))) => {
                    assert!(self.has_too_many_failures(), "stopped after {} failures", self.failures);
                    self.stopping = true;
                }
                Effect::Tell(AggregatorMsg::Over { not_run, .. }) => self.over = Some(not_run),
                Effect::Stuck { .. } => panic!("stuck although one executor stays"),
                _ => {}
            }
        }
        assert!(self.results.values().all(|&results| results == 1), "a test has two results");
        let ends = self.stopping || self.over.is_some();
        assert!(ends || !self.has_too_many_failures(), "it goes on after {} failures", self.failures);
    }

    fn has_too_many_failures(&self) -> bool {
        self.limit.failures.is_some_and(|limit| self.failures >= limit.get())
    }

    /// The case of the test that waits longest for it is read.
    fn read_case(&mut self) {
        if !self.unread.is_empty() {
            let test = self.unread.remove(0);
            self.handle(Input::CaseRead(CaseRead { test, case: Err(None) }));
        }
    }

    fn assigned(&mut self, executor: ExecutorId, leases: Vec<Lease>) {
        assert!(!self.stopping, "a lease after the stop");
        let executor = self.executors.get_mut(&executor).expect("a lease for nobody");
        for lease in leases {
            let done = self.results.contains_key(&lease.test) || self.unread.contains(&lease.test);
            assert!(!done, "a lease for a test that has its result");
            let twice =
                executor.has.iter().any(|has| has.test == lease.test && !self.withdrawn.contains(&has.id));
            assert!(!twice, "the same test twice at one executor");
            executor.has.push(lease);
        }
        assert!(executor.has.len() <= executor.credit, "more leases than credit");
        let heavy = executor.has.iter().filter(|lease| self.heavy.contains(&lease.test)).count();
        assert!(heavy <= executor.max_heavy, "too many heavy tests at once");
    }

    fn remove(&mut self, executor: ExecutorId) {
        let gone = self.executors.remove(&executor).expect("an executor that was there");
        self.old.extend(gone.has.into_iter().map(|lease| (executor, lease)));
    }

    fn leased(&self) -> Vec<(ExecutorId, Lease)> {
        let of = |(&id, executor): (&ExecutorId, &Executor)| {
            executor.has.iter().map(move |&lease| (id, lease)).collect::<Vec<_>>()
        };
        self.executors.iter().flat_map(of).collect()
    }

    fn answer(&mut self, (executor, lease): (ExecutorId, Lease), how: How) {
        let has = &mut self.executors.get_mut(&executor).unwrap().has;
        has.retain(|other| other.id != lease.id);
        self.old.push((executor, lease));
        self.handle(Input::news(
            executor,
            ExecutorEventKind::Finished { lease: lease.id, ending: ending(lease.test, how) },
        ));
    }

    /// One of the executors that may go.
    fn pick_executor(&self, index: usize) -> Option<ExecutorId> {
        let executors: Vec<_> = self.executors.keys().copied().filter(|&id| id != STEADY).collect();
        pick(&executors, index)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Find { heavy, slow } if !self.all_found => {
                let mut entries = Vec::new();
                for heavy in heavy {
                    self.known += 1;
                    let id = CaseId(self.known * 3);
                    entries.push(Entry { id, slow, heavy, history_key: 0 });
                }
                self.heavy.extend(entries.iter().filter(|entry| entry.heavy).map(|entry| entry.id));
                self.handle(Input::Found(entries));
            }
            Step::Find { .. } => {}
            Step::AllFound => {
                self.all_found = true;
                self.handle(Input::AllFound);
            }
            Step::Join { credit, max_heavy, local } => self.join(credit, max_heavy, local),
            Step::Credit { executor, credit } => {
                if let Some(executor) = self.pick_executor(executor) {
                    let entry = self.executors.get_mut(&executor).unwrap();
                    // What it has already, it keeps.
                    entry.credit = credit.max(entry.has.len());
                    self.handle(Input::news(executor, ExecutorEventKind::Ready { credit }));
                }
            }
            Step::Start { lease } => {
                if let Some((executor, lease)) = pick(&self.leased(), lease) {
                    let name = Failed::nameless(lease.test, String::new()).name;
                    self.handle(Input::news(executor, ExecutorEventKind::Started { lease: lease.id, name }));
                }
            }
            Step::Finish { lease, how } => {
                if let Some(of) = pick(&self.leased(), lease) {
                    self.answer(of, how);
                }
            }
            Step::Lose { executor } => {
                if let Some(executor) = self.pick_executor(executor) {
                    self.remove(executor);
                    self.handle(Input::news(executor, ExecutorEventKind::Lost { reason: "lost".into() }));
                }
            }
            Step::Suspect { executor } => {
                if let Some(executor) = self.pick_executor(executor) {
                    self.handle(Input::news(executor, ExecutorEventKind::Suspected));
                }
            }
            Step::Recover { executor } => {
                if let Some(executor) = self.pick_executor(executor) {
                    self.handle(Input::news(executor, ExecutorEventKind::Recovered));
                }
            }
            Step::Late { lease } => {
                if let Some((executor, lease)) = pick(&self.old, lease) {
                    let ending = ending(lease.test, How::Fail);
                    self.handle(Input::news(
                        executor,
                        ExecutorEventKind::Finished { lease: lease.id, ending },
                    ));
                }
            }
            Step::Wait { millis } => {
                self.now += Duration::from_millis(millis);
                self.handle(Input::Tick);
            }
            Step::Read => self.read_case(),
            Step::Stop { kill } => {
                self.stopping = true;
                self.handle(Input::Stop { reason: Some(StopReason::Interrupted), kill });
            }
        }
    }

    /// Nothing breaks any more: those who have leases answer them.
    fn finish(&mut self) {
        self.step(Step::AllFound);
        while let Some(&of) = self.leased().first() {
            self.answer(of, if self.stopping { How::Withdrawn } else { How::Pass });
        }
        while !self.unread.is_empty() {
            self.read_case();
        }
    }

    /// No peer ever answers again.
    fn finish_alone(&mut self) {
        self.step(Step::AllFound);
        for _ in 0..10_000 {
            if self.over.is_some() {
                return;
            }
            self.read_case();
            match self.leased().into_iter().find(|(executor, _)| self.executors[executor].local) {
                Some(of) => self.answer(of, How::Pass),
                None => self.step(Step::Wait { millis: 10_000 }),
            }
        }
        panic!("this machine makes no progress");
    }
}

fn pick<T: Copy>(from: &[T], index: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[index % from.len()])
}

fn ending(test: CaseId, how: How) -> LeaseResult {
    let outcome = match how {
        How::Pass => Outcome::Pass,
        How::Fail => Outcome::Fail,
        How::Withdrawn => return LeaseResult::Withdrawn,
        How::Unable => return LeaseResult::Unable { reason: "no memory".into() },
    };
    let output = Output {
        exit: Exit::Code(0),
        timed_out: false,
        stdout: Captured::default(),
        stderr: Captured::default(),
        duration: Duration::from_millis(100),
        memory: Memory::default(),
        started: None,
    };
    let judgement = Judgement { outcome, why: None };
    LeaseResult::Judged(Box::new(Judged::of(fake::case(test, &["true"]), output, judgement)))
}

fn failed(test: CaseId) -> LeaseResult {
    LeaseResult::Failed(Box::new(Failed::nameless(test, "x".into())))
}

fn confirm() -> impl Strategy<Value = ConfirmFailures> {
    prop_oneof![Just(ConfirmFailures::Auto), Just(ConfirmFailures::All), Just(ConfirmFailures::Off)]
}

fn reruns() -> impl Strategy<Value = Reruns> {
    (0..4_u32, 0..8_u64).prop_map(|(count, most_tests)| Reruns { count, most_tests })
}

fn limit() -> impl Strategy<Value = FailureLimit> {
    (0..6_u64, any::<bool>()).prop_map(|(failures, flaky_counts)| FailureLimit {
        failures: NonZeroU64::new(failures),
        flaky_counts,
    })
}

proptest! {
    #[test]
    fn every_test_gets_exactly_one_result_while_one_executor_stays(
        steps in steps(), confirm in confirm(), reruns in reruns(), alone in any::<bool>(),
    ) {
        let mut world = World::new(confirm, reruns, FailureLimit::default());
        for step in steps {
            world.step(step);
        }
        if alone { world.finish_alone() } else { world.finish() }
        prop_assert_eq!(world.over, Some(0));
        prop_assert_eq!(world.results.len() as u64, world.known);
    }

    #[test]
    fn a_run_stops_at_its_limit_of_failures_and_not_before(
        steps in steps(), confirm in confirm(), reruns in reruns(), limit in limit(), alone in any::<bool>(),
    ) {
        let mut world = World::new(confirm, reruns, limit);
        for step in steps {
            // What is found later is not counted by a scheduler that is done.
            if world.over.is_none() || !matches!(step, Step::Find { .. }) {
                world.step(step);
            }
        }
        if alone { world.finish_alone() } else { world.finish() }
        prop_assert_eq!(world.over, Some(world.known - world.results.len() as u64));
        prop_assert!(world.stopping || world.results.len() as u64 == world.known);
    }

    #[test]
    fn a_stopped_run_ends_once_its_leases_are_answered(
        steps in steps(), at in any::<prop::sample::Index>(), kill in any::<bool>(), reruns in reruns(),
    ) {
        let mut world = World::new(ConfirmFailures::All, reruns, FailureLimit::default());
        let at = at.index(steps.len() + 1);
        for (position, step) in steps.into_iter().enumerate() {
            if position == at {
                world.step(Step::Stop { kill });
            }
            // What is found later is not counted by a scheduler that is done.
            if world.over.is_none() || !matches!(step, Step::Find { .. }) {
                world.step(step);
            }
        }
        world.step(Step::Stop { kill: true });
        world.finish();
        prop_assert_eq!(world.over, Some(world.known - world.results.len() as u64));
    }
}

#[test]
fn many_tests_go_through_one_by_one() {
    go_through_one_by_one(100);
}

#[test]
#[ignore = "a long simulation: .ci/full"]
fn a_million_tests_go_through_one_by_one() {
    go_through_one_by_one(1000);
}

fn go_through_one_by_one(thousands: u64) {
    let mut core = Core::default();
    let mut effects = Vec::new();
    let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: 0 };
    for batch in 0..thousands {
        let entries = (batch * 1000..(batch + 1) * 1000).map(entry).collect();
        core.handle(Instant::now(), Input::Found(entries), &mut effects);
        effects.clear();
    }
    core.handle(Instant::now(), Input::AllFound, &mut effects);
    let joined = Input::Joined { executor: STEADY, place: Place::Local, credit: 16, max_heavy: 1 };
    core.handle(Instant::now(), joined, &mut effects);
    let mut lease = 0;
    while !effects.iter().any(|effect| matches!(effect, Effect::Tell(AggregatorMsg::Over { .. }))) {
        effects.clear();
        lease += 1;
        let lease = LeaseId(lease);
        core.handle(
            Instant::now(),
            Input::news(STEADY, ExecutorEventKind::Finished { lease, ending: failed(CaseId(0)) }),
            &mut effects,
        );
    }
    assert_eq!(lease, thousands * 1000);
}
