//! Single histories of tests that are run again.

use std::num::NonZeroU64;

use flotilla_messages::{
    Captured, CaseId, Entry, EventKind, Exit, Judgement, Memory, Outcome, Output, StopReason,
};

use super::*;
use crate::execution::executor::{ExecutorEventKind, Judged, Lease};
use crate::run::fake;
use crate::run::scheduler::{ConfirmFailures, Input, NoHistory};

const HERE: ExecutorId = ExecutorId(0);
const ALICE: ExecutorId = ExecutorId(1);
const BOB: ExecutorId = ExecutorId(2);

struct World {
    core: Core,
    effects: Vec<Effect>,
}

impl World {
    fn new(reruns: Reruns, confirm: ConfirmFailures) -> Self {
        Self { core: Core::new(confirm, Box::new(NoHistory)).with_reruns(reruns), effects: Vec::new() }
    }

    /// One rerun, one job here, these tests.
    fn here(reruns: Reruns, tests: std::ops::RangeInclusive<u64>) -> Self {
        let mut world = Self::new(reruns, ConfirmFailures::Off);
        world.join(HERE, 1);
        world.find(tests);
        world
    }

    /// The same in a run that stops after this many failures.
    fn limited(limit: u64, flaky_counts: bool, tests: std::ops::RangeInclusive<u64>) -> Self {
        let mut world = Self::new(times(1), ConfirmFailures::Off);
        let failures = NonZeroU64::new(limit);
        world.core = world.core.with_limit(FailureLimit { failures, flaky_counts });
        world.join(HERE, 1);
        world.find(tests);
        world
    }

    fn is_stopping(&self) -> bool {
        let stopping = Effect::event(EventKind::Stopping(StopReason::TooManyFailures));
        self.effects.contains(&stopping)
    }

    fn handle(&mut self, input: Input) {
        self.effects.clear();
        self.core.handle(Instant::now(), input, &mut self.effects);
    }

    fn join(&mut self, executor: ExecutorId, credit: usize) {
        let place = if executor == HERE { Place::Local } else { Place::Peer(format!("peer{}", executor.0)) };
        self.handle(Input::Joined { executor, place, credit, max_heavy: 1 });
    }

    fn find(&mut self, tests: std::ops::RangeInclusive<u64>) {
        let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: 0 };
        self.handle(Input::Found(tests.map(entry).collect()));
        let found = std::mem::take(&mut self.effects);
        self.handle(Input::AllFound);
        self.effects.splice(..0, found);
    }

    /// Who is given which test, as which attempt.
    fn given(&self) -> Vec<(u32, u64, u32)> {
        let of = |effect: &Effect| match effect {
            Effect::Assign { executor, leases } => {
                leases.iter().map(|&Lease { test, attempt, .. }| (executor.0, test.0, attempt)).collect()
            }
            _ => Vec::new(),
        };
        self.effects.iter().flat_map(of).collect()
    }

    /// The test that this executor has comes to this.
    fn ends(&mut self, executor: ExecutorId, outcome: Outcome, millis: u64) {
        let of = |(&lease, leased): (&LeaseId, &super::super::core::Leased)| {
            (leased.executor == executor && leased.live).then_some(lease)
        };
        let lease = self.core.leases.iter().find_map(of).unwrap();
        let output = Output {
            exit: Exit::Code(0),
            timed_out: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
            duration: Duration::from_millis(millis),
            memory: Memory::default(),
            started: None,
        };
        let (case, judgement) = (fake::case(CaseId(0), &["true"]), Judgement { outcome, why: None });
        let ending = LeaseResult::Judged(Box::new(Judged::of(case, output, judgement)));
        self.handle(Input::news(executor, ExecutorEventKind::Finished { lease, ending }));
    }

    fn fails(&mut self, executor: ExecutorId) {
        self.ends(executor, Outcome::Fail, 10);
    }

    fn passes(&mut self, executor: ExecutorId) {
        self.ends(executor, Outcome::Pass, 10);
    }

    /// Verdicts: the test, whether it is as expected, and how many attempts there were before.
    fn verdicts(&self) -> Vec<(u64, bool, usize)> {
        let of = |effect: &Effect| match effect {
            Effect::Tell(AggregatorMsg::Verdict { test, tried, earlier, .. }) => {
                assert!(earlier.iter().all(|tried| tried.ending.as_expected() == Some(false)));
                Some((test.0, tried.ending.as_expected() == Some(true), earlier.len()))
            }
            _ => None,
        };
        self.effects.iter().filter_map(of).collect()
    }

    /// Tests that are said to be run again.
    fn again(&self) -> Vec<u64> {
        let of = |effect: &Effect| match effect {
            Effect::Tell(AggregatorMsg::Again { test, .. }) => Some(test.0),
            _ => None,
        };
        self.effects.iter().filter_map(of).collect()
    }

    fn is_over(&self) -> bool {
        matches!(self.effects.last(), Some(Effect::Tell(AggregatorMsg::Over { .. })))
    }
}

fn times(count: u32) -> Reruns {
    Reruns { count, most_tests: 100 }
}

#[test]
fn a_failure_waits_for_all_others_and_runs_once_more() {
    let mut world = World::here(times(1), 1..=2);
    assert_eq!(world.given(), [(0, 1, 1)]);
    world.fails(HERE);
    assert_eq!((world.again(), world.verdicts(), world.given()), (vec![1], vec![], vec![(0, 2, 1)]));
    world.passes(HERE);
    assert_eq!((world.verdicts(), world.given()), (vec![(2, true, 0)], vec![(0, 1, 2)]));
    world.passes(HERE);
    assert_eq!(world.verdicts(), [(1, true, 1)]);
    assert!(world.is_over());
}

#[test]
fn a_test_that_never_passes_has_failed_with_all_its_attempts() {
    let mut world = World::here(times(2), 1..=1);
    for attempt in [2, 3] {
        world.fails(HERE);
        assert_eq!((world.verdicts(), world.given()), (vec![], vec![(0, 1, attempt)]));
    }
    world.fails(HERE);
    assert_eq!(world.verdicts(), [(1, false, 2)]);
    assert!(world.is_over());
}

#[test]
fn the_longest_run_again_first() {
    let mut world = World::here(times(1), 1..=4);
    for (outcome, millis) in
        [(Outcome::Fail, 5), (Outcome::Timeout, 60_000), (Outcome::Crash, 700), (Outcome::Fail, 5)]
    {
        world.ends(HERE, outcome, millis);
    }
    let mut order = Vec::new();
    while !world.is_over() {
        order.extend(world.given().iter().map(|given| given.1));
        world.passes(HERE);
    }
    assert_eq!(order, [2, 3, 1, 4]);
}

#[test]
fn too_many_failures_are_not_run_again_not_even_those_that_waited() {
    let mut world = World::here(Reruns { most_tests: 2, ..times(3) }, 1..=4);
    world.fails(HERE);
    world.fails(HERE);
    assert_eq!(world.verdicts(), []);
    world.fails(HERE);
    assert_eq!(world.verdicts(), [(1, false, 0), (2, false, 0), (3, false, 0)]);
    assert!(
        world
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Tell(AggregatorMsg::Event(EventKind::Notice(text)))
        if text == "no test is run again any more: 3 were unexpected (--rerun-failures-max)"))
    );
    world.fails(HERE);
    assert_eq!(world.verdicts(), [(4, false, 0)]);
    assert!(world.is_over());
}

/// With --exit-after-n-failures=1 nothing would be run again, or the run would go on with hundreds of failures.
#[test]
fn those_come_first_that_decide_whether_the_run_goes_on() {
    let mut world = World::limited(2, false, 1..=5);
    world.fails(HERE);
    assert_eq!(world.given(), [(0, 2, 1)]);
    world.fails(HERE);
    assert_eq!(world.given(), [(0, 1, 2)]);
    world.passes(HERE);
    // One that may fail is not two.
    assert_eq!((world.verdicts(), world.given()), (vec![(1, true, 1)], vec![(0, 3, 1)]));
    world.fails(HERE);
    assert_eq!(world.given(), [(0, 2, 2)]);
    world.fails(HERE);
    // One has failed, one may have.
    assert_eq!((world.verdicts(), world.given()), (vec![(2, false, 1)], vec![(0, 3, 2)]));
    assert!(!world.is_stopping());
    world.fails(HERE);
    assert_eq!((world.verdicts(), world.given()), (vec![(3, false, 1)], vec![]));
    assert!(world.is_stopping());
}

#[test]
fn a_flaky_test_that_counts_as_a_failure_may_end_the_run() {
    for flaky_counts in [false, true] {
        let mut world = World::limited(1, flaky_counts, 1..=2);
        world.fails(HERE);
        assert_eq!(world.given(), [(0, 1, 2)]);
        world.passes(HERE);
        assert_eq!((world.verdicts(), world.is_stopping()), (vec![(1, true, 1)], flaky_counts));
        assert_eq!(world.given().is_empty(), flaky_counts);
    }
}

#[test]
fn the_last_test_ends_a_run_and_not_the_limit_that_it_reaches() {
    let mut world = World::limited(1, false, 1..=1);
    world.fails(HERE);
    world.fails(HERE);
    assert_eq!((world.verdicts(), world.is_stopping()), (vec![(1, false, 1)], false));
    assert!(world.is_over());
}

#[test]
fn a_stop_leaves_what_waits_with_what_it_came_to() {
    let mut world = World::here(times(1), 1..=3);
    world.fails(HERE);
    world.fails(HERE);
    world.passes(HERE);
    assert_eq!(world.given(), [(0, 1, 2)]);
    world.handle(Input::Stop { reason: Some(StopReason::Interrupted), kill: false });
    assert_eq!(world.verdicts(), [(1, false, 0), (2, false, 0)]);
}

/// A peer that passes everything would make every failure flaky.
#[test]
fn this_machine_has_the_last_word_and_a_peers_word_is_no_attempt_that_counts() {
    let mut world = World::new(times(1), ConfirmFailures::All);
    world.join(BOB, 1);
    world.find(1..=1);
    assert_eq!(world.given(), [(2, 1, 1)]);
    world.join(HERE, 1);
    world.fails(BOB);
    assert_eq!((world.again(), world.given()), (vec![], vec![(0, 1, 2)]));
    world.fails(HERE);
    assert_eq!((world.again(), world.given()), (vec![1], vec![(0, 1, 3)]));
    world.passes(HERE);
    assert_eq!(world.verdicts(), [(1, true, 1)]);
}

#[test]
fn peers_alone_try_at_another_place_if_there_is_one() {
    for others in [true, false] {
        let mut world = World::new(times(1), ConfirmFailures::Auto);
        world.join(ALICE, 1);
        world.find(1..=1);
        if others {
            world.join(BOB, 1);
        }
        world.fails(ALICE);
        assert_eq!(world.given(), [(if others { 2 } else { 1 }, 1, 2)]);
    }
}

#[test]
fn an_attempt_that_is_lost_leaves_the_one_before() {
    let mut world = World::new(times(2), ConfirmFailures::Auto);
    world.join(ALICE, 1);
    world.find(1..=1);
    world.fails(ALICE);
    world.join(BOB, 0);
    world.handle(Input::news(ALICE, ExecutorEventKind::Lost { reason: "gone".into() }));
    assert_eq!(world.verdicts(), [(1, false, 0)]);
}

#[test]
fn an_attempt_at_a_peer_that_gets_no_more_leaves_the_one_before() {
    let mut world = World::new(times(2), ConfirmFailures::Auto);
    world.join(ALICE, 1);
    world.find(1..=4);
    world.join(BOB, 12);
    assert_eq!(world.given(), [(2, 2, 1), (2, 3, 1), (2, 4, 1)]);
    for lease in 2..=4 {
        let name = fake::name(CaseId(lease));
        world.handle(Input::news(BOB, ExecutorEventKind::Started { lease: LeaseId(lease), name }));
    }
    world.fails(ALICE);
    assert_eq!(world.given(), [(2, 1, 2)]);
    let of = |(&lease, leased): (&LeaseId, &super::super::core::Leased)| {
        (leased.executor == BOB && leased.attempt == 1).then_some(lease)
    };
    let others: Vec<LeaseId> = world.core.leases.iter().filter_map(of).collect();
    let mut verdicts = Vec::new();
    for lease in others {
        let ending = LeaseResult::Unable { reason: "no memory".into() };
        world.handle(Input::news(BOB, ExecutorEventKind::Finished { lease, ending }));
        verdicts.extend(world.verdicts());
    }
    assert_eq!(verdicts, [(1, false, 0)]);
}
