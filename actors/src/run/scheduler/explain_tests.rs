//! What is said of placements, and of times.

use std::time::Instant;

use flotilla_messages::{Captured, CaseId, Entry, Exit, Judgement, Memory, Outcome, Output, Times};
use proptest::prelude::*;

use super::*;
use crate::execution::executor::{ExecutorEventKind, ExecutorId, Failed, Judged, Lease, LeaseResult};
use crate::run::aggregator::AggregatorMsg;
use crate::run::fake;
use crate::run::scheduler::{ConfirmFailures, History, Input};

const HERE: ExecutorId = ExecutorId(0);
const BOB: ExecutorId = ExecutorId(1);

fn bob() -> Place {
    Place::Peer("bob".into())
}

/// Test n took n milliseconds.
struct Numbers;

impl History for Numbers {
    fn expected(&self, key: u64) -> Option<Duration> {
        (key > 0).then(|| Duration::from_millis(key))
    }
}

struct Bench {
    core: Core,
    now: Instant,
    leases: Vec<(ExecutorId, Lease)>,
    placed: Vec<Placement>,
    effects: Vec<Effect>,
}

impl Bench {
    fn new(explain: bool) -> Self {
        let mut core = Core::new(ConfirmFailures::Auto, Box::new(Numbers));
        core.explain(explain);
        Self { core, now: Instant::now(), leases: Vec::new(), placed: Vec::new(), effects: Vec::new() }
    }

    /// What was placed by it.
    fn input(&mut self, input: Input) -> Vec<Placement> {
        let mut effects = Vec::new();
        self.core.handle(self.now, input, &mut effects);
        let mut placed = Vec::new();
        for effect in &effects {
            match effect {
                Effect::Assign { executor, leases } => {
                    self.leases.extend(leases.iter().map(|&lease| (*executor, lease)));
                }
                Effect::Tell(AggregatorMsg::Event(EventKind::Placed(placement))) => {
                    placed.push((**placement).clone());
                }
                _ => {}
            }
        }
        self.placed.extend(placed.iter().cloned());
        self.effects = effects;
        placed
    }

    fn join(&mut self, executor: ExecutorId, place: Place, credit: usize) -> Vec<Placement> {
        self.input(Input::Joined { executor, place, credit, max_heavy: 1 })
    }

    fn found(&mut self, tests: &[u64]) -> Vec<Placement> {
        let entry = |&id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: id };
        self.input(Input::Found(tests.iter().map(entry).collect()))
    }

    fn finish(&mut self, at: usize, outcome: Outcome) -> Vec<Placement> {
        let (executor, lease) = self.leases[at];
        self.input(Input::news(
            executor,
            ExecutorEventKind::Finished { lease: lease.id, ending: judged(outcome) },
        ))
    }

    fn start(&mut self, at: usize) {
        let (executor, lease) = self.leases[at];
        let name = Failed::nameless(lease.test, String::new()).name;
        self.input(Input::news(executor, ExecutorEventKind::Started { lease: lease.id, name }));
    }

    fn times(&self) -> Times {
        let times = |effect: &Effect| match effect {
            Effect::Tell(AggregatorMsg::Verdict { tried, .. }) => Some(tried.times),
            _ => None,
        };
        self.effects.iter().find_map(times).unwrap()
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }
}

fn judged(outcome: Outcome) -> LeaseResult {
    let output = Output {
        exit: Exit::Code(0),
        timed_out: false,
        stdout: Captured::default(),
        stderr: Captured::default(),
        duration: Duration::from_millis(50),
        memory: Memory::default(),
        started: None,
    };
    let judgement = Judgement { outcome, why: None };
    LeaseResult::Judged(Box::new(Judged::of(fake::case(CaseId(0), &["true"]), output, judgement)))
}

fn tests(placed: &[Placement]) -> Vec<u64> {
    placed.iter().map(|placement| placement.test.0).collect()
}

#[test]
fn the_longest_come_first_and_are_said_to_be() {
    let mut bench = Bench::new(true);
    bench.join(HERE, Place::Local, 2);
    // Plenty, and then little.
    let placed = bench.found(&[20, 3000, 40, 900, 0, 10, 11, 12, 13]);
    assert_eq!(tests(&placed), [3000, 900]);
    let Why::Next { expected: Some(expected) } = placed[0].why else { panic!("{placed:?}") };
    assert!((2.5..3.5).contains(&expected.as_secs_f64()), "{expected:?}");
    assert_eq!((&placed[0].place, placed[0].attempt), (&Place::Local, 1));
    let unknown = bench.finish(0, Outcome::Pass);
    assert_eq!((tests(&unknown), &unknown[0].why), (vec![0], &Why::Next { expected: None }));
    bench.input(Input::AllFound);
    let all: Vec<_> = (1..8).flat_map(|at| bench.finish(at, Outcome::Pass)).collect();
    assert!(matches!(all.last().unwrap().why, Why::Share { .. }), "{all:?}");
}

#[test]
fn what_is_lost_unable_or_to_be_confirmed_is_said() {
    let mut bench = Bench::new(true);
    bench.join(HERE, Place::Local, 0);
    bench.join(BOB, bob(), 1);
    bench.found(&[1]);
    bench.input(Input::news(BOB, ExecutorEventKind::Lost { reason: "its link is cut".into() }));
    let placed = bench.input(Input::news(HERE, ExecutorEventKind::Ready { credit: 1 }));
    assert_eq!(placed[0].why, Why::Lost { at: bob(), reason: "its link is cut".into() });
    assert_eq!((&placed[0].place, placed[0].attempt), (&Place::Local, 2));

    let mut bench = Bench::new(true);
    bench.join(BOB, bob(), 1);
    bench.found(&[1]);
    let (executor, lease) = bench.leases[0];
    let ending = LeaseResult::Unable { reason: "its disk is full".into() };
    bench.input(Input::news(executor, ExecutorEventKind::Finished { lease: lease.id, ending }));
    let placed = bench.join(HERE, Place::Local, 1);
    assert_eq!(placed[0].why, Why::Unable { reasons: vec!["bob: its disk is full".into()] });

    let mut bench = Bench::new(true);
    bench.join(BOB, bob(), 1);
    bench.found(&[1]);
    bench.join(HERE, Place::Local, 1);
    let placed = bench.finish(0, Outcome::Fail);
    assert_eq!(placed[0].why, Why::Confirmation { peer: "bob".into() });
    assert_eq!((&placed[0].place, placed[0].attempt), (&Place::Local, 2));
}

#[test]
fn what_is_taken_back_over_or_run_twice_is_said() {
    let mut bench = Bench::new(true);
    bench.join(BOB, bob(), 4);
    bench.found(&[1, 2]);
    bench.input(Input::AllFound);
    bench.start(0);
    bench.input(Input::news(BOB, ExecutorEventKind::Suspected));
    let placed = bench.join(HERE, Place::Local, 4);
    let reason = "nothing has been heard of it for some seconds".into();
    let back = placed.iter().find(|placement| placement.test.0 == 1).unwrap();
    assert_eq!(back.why, Why::TakenBack { from: bob(), reason });
    bench.finish(2, Outcome::Pass);
    // The other one has begun there, and this machine is idle.
    bench.pass(60_000);
    let late = bench.input(Input::Tick);
    assert_eq!(late[0].why, Why::Late { at: bob(), since: Duration::from_secs(60) });

    let mut bench = Bench::new(true);
    bench.join(BOB, bob(), 9);
    bench.found(&[1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000]);
    bench.input(Input::AllFound);
    bench.join(HERE, Place::Local, 3);
    let over = bench.input(Input::Tick);
    let all = bench.placed.iter().chain(&over);
    assert!(all.into_iter().any(|placement| placement.why == Why::TakenOver { from: bob() }));
}

#[test]
fn nothing_is_said_or_kept_unless_it_is_asked_for() {
    let mut bench = Bench::new(false);
    bench.join(BOB, bob(), 2);
    bench.found(&[1, 2, 3]);
    bench.input(Input::news(BOB, ExecutorEventKind::Lost { reason: "gone".into() }));
    bench.join(HERE, Place::Local, 1);
    assert!(bench.placed.is_empty() && bench.core.explanations.is_none());
}

#[test]
fn times_are_what_was_seen_here_and_what_a_peer_says() {
    let mut bench = Bench::new(false);
    bench.join(HERE, Place::Local, 1);
    bench.found(&[1, 2, 3]);
    bench.pass(30);
    bench.start(0);
    bench.pass(60);
    bench.finish(0, Outcome::Pass);
    let ms = Duration::from_millis;
    assert_eq!(bench.times(), Times { queued: ms(30), transfer: ms(0) });

    let mut bench = Bench::new(false);
    bench.join(BOB, bob(), 1);
    bench.found(&[1, 2]);
    for said in [ms(20), ms(1_000_000)] {
        let at = bench.leases.len() - 1;
        bench.pass(100);
        let (executor, lease) = bench.leases[at];
        bench.input(Input::news(executor, ExecutorEventKind::Queued { lease: lease.id, queued: said }));
        // Somebody else's word does not count.
        bench.input(Input::news(HERE, ExecutorEventKind::Queued { lease: lease.id, queued: ms(1) }));
        bench.finish(at, Outcome::Pass);
        let queued = said.min(ms(50));
        assert_eq!(bench.times(), Times { queued, transfer: ms(50) - queued });
    }
}

proptest! {
    /// Each lease is explained once, by the executor and attempt it was given with.
    #[test]
    fn every_lease_is_explained(steps in prop::collection::vec((0..6_u8, 0..50_usize), 1..120)) {
        let mut bench = Bench::new(true);
        bench.join(HERE, Place::Local, 3);
        bench.join(BOB, bob(), 6);
        bench.found(&(1..40).collect::<Vec<_>>());
        bench.input(Input::AllFound);
        let mut next = 2;
        for (step, at) in steps {
            let at = at % bench.leases.len();
            match step {
                0 | 1 => drop(bench.finish(at, Outcome::Pass)),
                2 => drop(bench.finish(at, Outcome::Fail)),
                3 => bench.start(at),
                4 => {
                    bench.pass(5_000);
                    bench.input(Input::Tick);
                }
                _ => {
                    bench.input(Input::news(ExecutorId(next - 1), ExecutorEventKind::Lost { reason: "gone".into() }));
                    bench.join(ExecutorId(next), bob(), 6);
                    next += 1;
                }
            }
        }
        let mut given: Vec<_> = bench.leases.iter().map(|(_, lease)| (lease.test.0, lease.attempt)).collect();
        let mut said: Vec<_> = bench.placed.iter().map(|placed| (placed.test.0, placed.attempt)).collect();
        given.sort_unstable();
        said.sort_unstable();
        prop_assert_eq!(given, said);
    }
}
