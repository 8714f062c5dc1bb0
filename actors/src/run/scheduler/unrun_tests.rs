//! Single histories of verdicts that no executor gives.

use std::num::NonZeroU64;
use std::time::Duration;

use flotilla_messages::{Entry, EventKind, StopReason, TestName, Unrunnable};

use super::*;
use crate::execution::executor::{ExecutorEvent, ExecutorEventKind, ExecutorId, LeaseId};
use crate::run::aggregator::AggregatorMsg;
use crate::run::fake;
use crate::run::scheduler::{FailureLimit, Input};

const HERE: ExecutorId = ExecutorId(0);

struct World {
    core: Core,
    begun: Instant,
}

impl World {
    /// A run of these tests, one at a time.
    fn new(tests: u64, limit: u64) -> Self {
        let limit = FailureLimit { failures: NonZeroU64::new(limit), flaky_counts: false };
        let mut world = Self { core: Core::default().with_limit(limit), begun: Instant::now() };
        let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: 0 };
        world.handle(0, Input::Found((1..=tests).map(entry).collect()));
        world.handle(0, Input::AllFound);
        world.handle(0, Input::Joined { executor: HERE, place: Place::Local, credit: 1, max_heavy: 1 });
        world
    }

    fn handle(&mut self, seconds: u64, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.handle(self.begun + Duration::from_secs(seconds), input, &mut effects);
        effects
    }

    /// This machine cannot run the test that it has.
    fn unable(&mut self, lease: u64) -> Vec<Effect> {
        let ending = LeaseResult::Unable { reason: "disk full".into() };
        let what = ExecutorEventKind::Finished { lease: LeaseId(lease), ending };
        self.handle(0, Input::Executor(ExecutorEvent { executor: HERE, kind: what }))
    }

    fn read(&mut self, test: u64, case: super::super::effect::ReadCase) -> Vec<Effect> {
        self.handle(0, Input::CaseRead(CaseRead { test: CaseId(test), case }))
    }
}

fn reads(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::ReadCase(_)))
}

/// Names and reasons of verdicts.
fn verdicts(effects: &[Effect]) -> Vec<(String, String)> {
    let of = |effect: &Effect| match effect {
        Effect::Tell(AggregatorMsg::Verdict { tried, .. }) => match &tried.ending {
            LeaseResult::Failed(failed) => Some((failed.name.path(), failed.reason.clone())),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn is_over(effects: &[Effect]) -> bool {
    matches!(effects.last(), Some(Effect::Tell(AggregatorMsg::Over { not_run: 0, .. })))
}

#[test]
fn the_run_waits_for_the_case_and_the_verdict_has_its_names() {
    let mut world = World::new(1, 0);
    let effects = world.unable(1);
    assert!(reads(&effects) && verdicts(&effects).is_empty() && !is_over(&effects));
    let effects = world.read(1, Ok(Box::new(fake::case(CaseId(1), &["true"]))));
    let reason = "cannot run the test: disk full".to_owned();
    assert_eq!(verdicts(&effects), [(fake::name(CaseId(1)).path(), reason)]);
    assert!(is_over(&effects));
}

#[test]
fn a_test_without_a_case_has_the_names_that_its_error_has() {
    let mut world = World::new(1, 0);
    world.unable(1);
    let name = TestName { suite: "s".into(), name: "n".into(), variant: "v".into(), detail: None };
    let unrunnable = Unrunnable { name: name.clone(), id: "s/n".into(), reason: "gone".into() };
    let effects = world.read(1, Err(Some(Box::new(unrunnable))));
    assert_eq!(verdicts(&effects), [(name.path(), "cannot run the test: disk full".to_owned())]);
}

#[test]
fn other_tests_go_on_meanwhile_and_a_case_that_is_read_twice_is_one_verdict() {
    let mut world = World::new(2, 0);
    let effects = world.unable(1);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Assign { .. })));
    assert_eq!(verdicts(&world.read(1, Err(None))).len(), 1);
    assert_eq!(verdicts(&world.read(1, Err(None))), []);
}

#[test]
fn a_stop_waits_for_the_case_but_not_for_a_disk_that_hangs() {
    for hangs in [false, true] {
        let mut world = World::new(1, 0);
        world.unable(1);
        let stop = Input::Stop { reason: Some(StopReason::Interrupted), kill: false };
        let effects = world.handle(10, stop);
        assert!(verdicts(&effects).is_empty() && !is_over(&effects));
        let effects = if hangs { world.handle(12, Input::Tick) } else { world.read(1, Err(None)) };
        assert_eq!(verdicts(&effects).len(), 1);
        assert!(is_over(&effects));
    }
}

#[test]
fn the_verdict_counts_towards_the_limit_when_it_is_given() {
    let mut world = World::new(2, 1);
    let stopping = Effect::event(EventKind::Stopping(StopReason::TooManyFailures));
    assert!(!world.unable(1).contains(&stopping));
    let effects = world.read(1, Err(None));
    assert!(matches!(effects.first(), Some(Effect::Tell(AggregatorMsg::Verdict { .. }))));
    assert!(effects.contains(&stopping));
}
