//! Random histories of the scheduler's core: whatever executors do, every test gets exactly one result.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use flotilla_messages::{CaseId, Entry, Place, StopReason};
use proptest::prelude::*;

use super::core::Core;
use super::effect::{Effect, Input};
use crate::executor::{Ending, ExecutorId, Failed, Lease};

/// The executor that never goes.
const STEADY: ExecutorId = ExecutorId(0);

#[derive(Clone, Debug)]
enum Step {
    Find { heavy: Vec<bool>, slow: bool },
    AllFound,
    Join { credit: usize, max_heavy: usize },
    Credit { executor: usize, credit: usize },
    Start { lease: usize },
    Finish { lease: usize },
    Withdrawn { lease: usize },
    Lose { executor: usize },
    Late { lease: usize },
    Stop { kill: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any_index = || any::<prop::sample::Index>().prop_map(|index| index.index(1000));
    let step = prop_oneof![
        3 => (prop::collection::vec(prop::bool::weighted(0.2), 0..8), any::<bool>())
            .prop_map(|(heavy, slow)| Step::Find { heavy, slow }),
        1 => Just(Step::AllFound),
        2 => (0..5_usize, 0..3_usize).prop_map(|(credit, max_heavy)| Step::Join { credit, max_heavy }),
        1 => (any_index(), 0..5_usize).prop_map(|(executor, credit)| Step::Credit { executor, credit }),
        4 => any_index().prop_map(|lease| Step::Start { lease }),
        6 => any_index().prop_map(|lease| Step::Finish { lease }),
        1 => any_index().prop_map(|lease| Step::Withdrawn { lease }),
        2 => any_index().prop_map(|executor| Step::Lose { executor }),
        1 => any_index().prop_map(|lease| Step::Late { lease }),
    ];
    prop::collection::vec(step, 0..120)
}

/// What the world knows, kept beside the core.
#[derive(Default)]
struct World {
    core: Core,
    known: u64,
    all_found: bool,
    heavy: BTreeSet<CaseId>,
    /// Credit, heavy limit, and what it was assigned and has not answered.
    executors: BTreeMap<ExecutorId, (usize, usize, Vec<Lease>)>,
    next_executor: u32,
    /// Answered, or lost with their executor.
    old: Vec<(ExecutorId, Lease)>,
    results: BTreeMap<CaseId, u32>,
    stopping: bool,
    over: Option<u64>,
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        world.join(2, 1);
        world
    }

    fn join(&mut self, credit: usize, max_heavy: usize) {
        let executor = ExecutorId(self.next_executor);
        self.next_executor += 1;
        self.executors.insert(executor, (credit, max_heavy.max(1), Vec::new()));
        self.handle(Input::Joined { executor, place: Place::Local, credit, max_heavy });
    }

    fn handle(&mut self, input: Input) {
        let mut effects = Vec::new();
        let was_over = self.over.is_some();
        self.core.handle(Instant::now(), input, &mut effects);
        assert!(!was_over || effects.is_empty(), "something happens after the end: {effects:?}");
        for effect in effects {
            match effect {
                Effect::Assign { executor, leases } => {
                    assert!(!self.stopping, "a lease after the stop");
                    let (credit, max_heavy, has) =
                        self.executors.get_mut(&executor).expect("a lease for nobody");
                    has.extend(leases);
                    assert!(has.len() <= *credit, "more leases than credit");
                    let heavy = has.iter().filter(|lease| self.heavy.contains(&lease.test)).count();
                    assert!(heavy <= *max_heavy, "too many heavy tests at once");
                }
                Effect::Verdict { test, .. } | Effect::TookDown { test, .. } => {
                    *self.results.entry(test).or_default() += 1;
                }
                Effect::Over { not_run, .. } => self.over = Some(not_run),
                Effect::Stuck { .. } => panic!("stuck although one executor stays"),
                _ => {}
            }
        }
        assert!(self.results.values().all(|&results| results == 1), "a test has two results");
    }

    fn leased(&self) -> Vec<(ExecutorId, Lease)> {
        let of = |(&executor, (_, _, leases)): (&ExecutorId, &(usize, usize, Vec<Lease>))| {
            leases.iter().map(move |&lease| (executor, lease)).collect::<Vec<_>>()
        };
        self.executors.iter().flat_map(of).collect()
    }

    fn answer(&mut self, (executor, lease): (ExecutorId, Lease), ending: Ending) {
        let leases = &mut self.executors.get_mut(&executor).unwrap().2;
        leases.retain(|other| other.id != lease.id);
        self.old.push((executor, lease));
        self.handle(Input::Finished { executor, lease: lease.id, ending });
    }

    fn step(&mut self, step: Step) {
        fn pick<T: Copy>(from: &[T], index: usize) -> Option<T> {
            (!from.is_empty()).then(|| from[index % from.len()])
        }
        match step {
            Step::Find { heavy, slow } if !self.all_found => {
                let entries: Vec<Entry> = heavy
                    .iter()
                    .map(|&heavy| {
                        self.known += 1;
                        Entry { id: CaseId(self.known * 3), slow, heavy, history_key: 0 }
                    })
                    .collect();
                self.heavy.extend(entries.iter().filter(|entry| entry.heavy).map(|entry| entry.id));
                self.handle(Input::Found(entries));
            }
            Step::Find { .. } => {}
            Step::AllFound => {
                self.all_found = true;
                self.handle(Input::AllFound);
            }
            Step::Join { credit, max_heavy } => self.join(credit, max_heavy),
            Step::Credit { executor, credit } => {
                let executors: Vec<_> = self.executors.keys().copied().filter(|&id| id != STEADY).collect();
                if let Some(executor) = pick(&executors, executor) {
                    let entry = self.executors.get_mut(&executor).unwrap();
                    // What it has already, it keeps.
                    entry.0 = credit.max(entry.2.len());
                    self.handle(Input::Ready { executor, credit });
                }
            }
            Step::Start { lease } => {
                if let Some((executor, lease)) = pick(&self.leased(), lease) {
                    let name = Failed::nameless(lease.test, String::new()).name;
                    self.handle(Input::Started { executor, lease: lease.id, name });
                }
            }
            Step::Finish { lease } => {
                if let Some(of) = pick(&self.leased(), lease) {
                    self.answer(of, failed(of.1.test));
                }
            }
            Step::Withdrawn { lease } => {
                if let Some(of) = pick(&self.leased(), lease) {
                    self.answer(of, Ending::Withdrawn);
                }
            }
            Step::Lose { executor } => {
                let executors: Vec<_> = self.executors.keys().copied().filter(|&id| id != STEADY).collect();
                if let Some(executor) = pick(&executors, executor) {
                    let (_, _, leases) = self.executors.remove(&executor).unwrap();
                    self.old.extend(leases.into_iter().map(|lease| (executor, lease)));
                    self.handle(Input::Lost { executor, reason: "lost".into() });
                }
            }
            Step::Late { lease } => {
                if let Some((executor, lease)) = pick(&self.old, lease) {
                    self.handle(Input::Finished { executor, lease: lease.id, ending: failed(lease.test) });
                }
            }
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
            let ending = if self.stopping { Ending::Withdrawn } else { failed(of.1.test) };
            self.answer(of, ending);
        }
    }
}

fn failed(test: CaseId) -> Ending {
    Ending::Failed(Box::new(Failed::nameless(test, "x".into())))
}

proptest! {
    #[test]
    fn every_test_gets_exactly_one_result_while_one_executor_stays(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.finish();
        prop_assert_eq!(world.over, Some(0));
        prop_assert_eq!(world.results.len() as u64, world.known);
    }

    #[test]
    fn a_stopped_run_ends_once_its_leases_are_answered(
        steps in steps(), at in any::<prop::sample::Index>(), kill in any::<bool>(),
    ) {
        let mut world = World::new();
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
fn a_million_tests_go_through_one_by_one() {
    let mut core = Core::default();
    let mut effects = Vec::new();
    let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: 0 };
    for batch in 0..1000 {
        let entries = (batch * 1000..(batch + 1) * 1000).map(entry).collect();
        core.handle(Instant::now(), Input::Found(entries), &mut effects);
        effects.clear();
    }
    core.handle(Instant::now(), Input::AllFound, &mut effects);
    let joined = Input::Joined { executor: STEADY, place: Place::Local, credit: 16, max_heavy: 1 };
    core.handle(Instant::now(), joined, &mut effects);
    let mut lease = 0;
    while !effects.iter().any(|effect| matches!(effect, Effect::Over { .. })) {
        effects.clear();
        lease += 1;
        let lease = crate::executor::LeaseId(lease);
        core.handle(
            Instant::now(),
            Input::Finished { executor: STEADY, lease, ending: failed(CaseId(0)) },
            &mut effects,
        );
    }
    assert_eq!(lease, 1_000_000);
}
