//! Single histories of the scheduler's core.

use flotilla_messages::{CaseId, Entry};

use super::*;
use crate::executor::Failed;

const HERE: ExecutorId = ExecutorId(0);

fn handled(core: &mut Core, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    core.handle(Instant::now(), input, &mut effects);
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
