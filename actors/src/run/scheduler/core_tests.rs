//! Single histories of the scheduler's core.

use flotilla_messages::{Captured, CaseId, Entry, Exit, Judgement, Memory, Outcome, Output};

use super::*;
use crate::execution::executor::{Failed, Judged};
use crate::run::fake;
use crate::run::scheduler::CaseRead;

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
    let ending = LeaseResult::Failed(Box::new(Failed::nameless(CaseId(0), "x".into())));
    Input::news(HERE, ExecutorEventKind::Finished { lease: LeaseId(lease), ending })
}

fn started(executor: ExecutorId, lease: u64) -> Input {
    let name = Failed::nameless(CaseId(0), String::new()).name;
    Input::news(executor, ExecutorEventKind::Started { lease: LeaseId(lease), name })
}

/// The verdict that waits for a case, which cannot be read: test, outcome, reason, place and attempt.
fn unrun(core: &mut Core, effects: Vec<Effect>) -> (u64, Outcome, String, Place, u32) {
    let [Effect::ReadCase(test)] = effects[..] else { panic!("more than one case to read: {effects:?}") };
    match handled(core, Input::CaseRead(CaseRead { test, case: Err(None) })).into_iter().next() {
        Some(Effect::Tell(AggregatorMsg::Verdict { test, tried, .. })) => match tried.ending {
            LeaseResult::Failed(failed) => {
                (test.0, failed.outcome, failed.reason, tried.place, tried.attempt)
            }
            other => panic!("a result: {other:?}"),
        },
        other => panic!("no verdict: {other:?}"),
    }
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
    assert_eq!(effects.last(), Some(&Effect::Tell(AggregatorMsg::Over { not_run: 0, all_found: true })));
    assert_eq!(handled(&mut core, Input::AllFound), []);
}

#[test]
fn the_second_result_of_a_test_is_ignored() {
    let mut core = Core::default();
    join(&mut core, HERE, 1);
    handled(&mut core, found(&[1]));
    let mut verdict = || {
        let ending = LeaseResult::Failed(Box::new(Failed::nameless(CaseId(1), "x".into())));
        let tried = Attempt { ending, place: Place::Local, attempt: 1, times: Times::default() };
        let mut effects = Vec::new();
        core.verdict(0, tried, Vec::new(), None, &mut effects);
        effects.len()
    };
    assert_eq!((verdict(), verdict()), (1, 0));
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
    let stopping = Effect::event(EventKind::Stopping(StopReason::Interrupted));
    let stop_here = |kill| Effect::StopExecutor { executor: HERE, kill };
    assert_eq!(handled(&mut core, stop(false)), [stopping, stop_here(false)]);
    assert_eq!(handled(&mut core, stop(false)), []);
    assert_eq!(handled(&mut core, stop(true)), [stop_here(true)]);
    let ended =
        Input::news(HERE, ExecutorEventKind::Finished { lease: LeaseId(1), ending: LeaseResult::Withdrawn });
    assert_eq!(
        handled(&mut core, ended),
        [Effect::Tell(AggregatorMsg::Over { not_run: 2, all_found: false })]
    );
}

#[test]
fn what_a_lost_executor_had_is_leased_again_in_order() {
    let mut core = Core::default();
    join(&mut core, ExecutorId(1), 2);
    handled(&mut core, found(&[1, 2, 3]));
    join(&mut core, HERE, 1);
    handled(&mut core, started(ExecutorId(1), 1));
    let lost = Input::news(ExecutorId(1), ExecutorEventKind::Lost { reason: "gone".into() });
    assert_eq!(leases(&handled(&mut core, lost)), []);
    assert_eq!(leases(&handled(&mut core, finish(3))), [(4, 1, 2)]);
    let late = Input::news(
        ExecutorId(1),
        ExecutorEventKind::Finished { lease: LeaseId(1), ending: LeaseResult::Withdrawn },
    );
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
        crashed = handled(
            &mut core,
            Input::news(executor, ExecutorEventKind::Lost { reason: format!("end {round}") }),
        );
    }
    let reason = "took down 2 executors: end 1; end 2".to_owned();
    assert_eq!(unrun(&mut core, crashed), (1, Outcome::Crash, reason, Place::Local, 2));
    let ready = Input::news(HERE, ExecutorEventKind::Ready { credit: 2 });
    assert_eq!(leases(&handled(&mut core, ready)), [(5, 2, 3)]);
}

/// When the runner's own cable was pulled out, a test that was late and ran on two peers was blamed for both.
#[test]
fn a_test_is_not_blamed_for_peers_that_go_together() {
    let start = Instant::now();
    let step = |core: &mut Core, seconds: u64, input: Input| {
        let mut effects = Vec::new();
        core.handle(start + Duration::from_secs(seconds), input, &mut effects);
        effects
    };
    let join = |core: &mut Core, executor, seconds| {
        let place = Place::Peer(format!("peer{executor}"));
        let executor = ExecutorId(executor);
        step(core, seconds, Input::Joined { executor, place, credit: 1, max_heavy: 1 })
    };
    for (apart, blamed) in [(1, false), (60, true)] {
        let mut core = Core::new(ConfirmFailures::Off, Box::new(NoHistory));
        step(&mut core, 0, Input::Joined { executor: HERE, place: Place::Local, credit: 0, max_heavy: 1 });
        step(&mut core, 0, found(&[1]));
        step(&mut core, 0, Input::AllFound);
        assert_eq!(leases(&join(&mut core, 1, 0)), [(1, 1, 1)]);
        step(&mut core, 0, started(ExecutorId(1), 1));
        // It is late: another one is given it as well.
        join(&mut core, 2, 0);
        let copied = step(&mut core, 100, Input::news(ExecutorId(1), ExecutorEventKind::Suspected));
        assert_eq!(leases(&copied), [(2, 1, 2)]);
        step(&mut core, 100, started(ExecutorId(2), 2));
        let lost = |executor| Input::news(executor, ExecutorEventKind::Lost { reason: "silent".into() });
        step(&mut core, 110, lost(ExecutorId(1)));
        let effects = step(&mut core, 110 + apart, lost(ExecutorId(2)));
        assert_eq!(effects.iter().any(|effect| matches!(effect, Effect::ReadCase(_))), blamed, "{effects:?}");
        if !blamed {
            let ready = step(&mut core, 120, Input::news(HERE, ExecutorEventKind::Ready { credit: 1 }));
            assert_eq!(leases(&ready).len(), 1);
        }
    }
}

/// Where the network comes and goes, a long test was a crash that took down two machines.
#[test]
fn a_test_that_peers_were_lost_with_runs_here_if_any_do() {
    let mut core = Core::new(ConfirmFailures::Off, Box::new(NoHistory));
    join(&mut core, HERE, 0);
    handled(&mut core, found(&[1]));
    handled(&mut core, Input::AllFound);
    for (executor, lease) in [(ExecutorId(1), 1), (ExecutorId(2), 2)] {
        assert_eq!(leases(&peer(&mut core, executor, 1)), [(lease, 1, lease as u32)]);
        handled(&mut core, started(executor, lease));
        if lease == 2 {
            // These have nothing to do.
            handled(&mut core, Input::news(HERE, ExecutorEventKind::Ready { credit: 1 }));
            peer(&mut core, ExecutorId(3), 1);
        }
        let effects =
            handled(&mut core, Input::news(executor, ExecutorEventKind::Lost { reason: "silent".into() }));
        let here = Effect::Assign {
            executor: HERE,
            leases: vec![Lease { id: LeaseId(3), test: CaseId(1), attempt: 3 }],
        };
        assert_eq!(effects.contains(&here), lease == 2, "{effects:?}");
    }
    let effects = handled(&mut core, finish(3));
    assert!(
        matches!(
            effects.first(),
            Some(Effect::Tell(AggregatorMsg::Verdict {
                tried: Attempt { place: Place::Local, attempt: 3, .. },
                ..
            }))
        ),
        "{effects:?}"
    );
}

#[test]
fn losing_the_last_executor_is_said_and_ends_the_run() {
    let mut core = Core::default();
    join(&mut core, HERE, 1);
    handled(&mut core, found(&[1]));
    let effects = handled(&mut core, Input::news(HERE, ExecutorEventKind::Lost { reason: "gone".into() }));
    let over = Effect::Tell(AggregatorMsg::Over { not_run: 1, all_found: false });
    assert_eq!(effects, [Effect::Stuck { reason: "gone".into() }, over]);
}

const BOB: ExecutorId = ExecutorId(7);

fn peer(core: &mut Core, executor: ExecutorId, credit: usize) -> Vec<Effect> {
    let place = Place::Peer(format!("peer{}", executor.0));
    handled(core, Input::Joined { executor, place, credit, max_heavy: 1 })
}

fn ended(executor: ExecutorId, lease: u64, outcome: Outcome) -> Input {
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
    let case = fake::case(CaseId(0), &["true"]);
    let ending = LeaseResult::Judged(Box::new(Judged::of(case, output, judgement)));
    Input::news(executor, ExecutorEventKind::Finished { lease: LeaseId(lease), ending })
}

fn unable(executor: ExecutorId, lease: u64) -> Input {
    let ending = LeaseResult::Unable { reason: "no memory".into() };
    Input::news(executor, ExecutorEventKind::Finished { lease: LeaseId(lease), ending })
}

/// Test, whether it is as expected, place and whom it differs on.
fn verdicts(effects: &[Effect]) -> Vec<(u64, bool, Place, Option<&str>)> {
    let mut verdicts = Vec::new();
    for effect in effects {
        if let Effect::Tell(AggregatorMsg::Verdict { test, tried, differs_on, .. }) = effect {
            let good = tried.ending.as_expected() == Some(true);
            verdicts.push((test.0, good, tried.place.clone(), differs_on.as_deref()));
        }
    }
    verdicts
}

fn notices(effects: &[Effect]) -> Vec<&str> {
    let mut notices = Vec::new();
    for effect in effects {
        if let Effect::Tell(AggregatorMsg::Event(EventKind::Notice(text))) = effect {
            notices.push(text.as_str());
        }
    }
    notices
}

#[test]
fn a_failure_on_a_peer_is_confirmed_here_before_it_counts() {
    for (here, good) in [(Outcome::Pass, true), (Outcome::Crash, false)] {
        let mut core = Core::default();
        peer(&mut core, BOB, 1);
        handled(&mut core, found(&[5]));
        handled(&mut core, Input::AllFound);
        join(&mut core, HERE, 1);
        let effects = handled(&mut core, ended(BOB, 1, Outcome::Fail));
        assert_eq!(verdicts(&effects), []);
        assert_eq!(leases(&effects), [(2, 5, 2)]);
        let effects = handled(&mut core, ended(HERE, 2, here));
        let differs = good.then_some("peer7");
        assert_eq!(verdicts(&effects), [(5, good, Place::Local, differs)]);
        assert_eq!(effects.last(), Some(&Effect::Tell(AggregatorMsg::Over { not_run: 0, all_found: true })));
    }
}

#[test]
fn what_cannot_be_confirmed_counts_as_it_is() {
    let there = Place::Peer("peer7".into());
    let mut core = Core::default();
    peer(&mut core, BOB, 1);
    handled(&mut core, found(&[5]));
    // Nobody is here.
    let effects = handled(&mut core, ended(BOB, 1, Outcome::Fail));
    assert_eq!(verdicts(&effects), [(5, false, there.clone(), None)]);
    // It goes while it confirms.
    let mut core = Core::default();
    peer(&mut core, BOB, 1);
    handled(&mut core, found(&[5]));
    join(&mut core, HERE, 1);
    handled(&mut core, ended(BOB, 1, Outcome::Fail));
    let effects = handled(&mut core, Input::news(HERE, ExecutorEventKind::Lost { reason: "gone".into() }));
    assert_eq!(verdicts(&effects), [(5, false, there.clone(), None)]);
    // The run stops meanwhile; what is said here afterwards is of no interest.
    let mut core = Core::default();
    peer(&mut core, BOB, 1);
    handled(&mut core, found(&[5]));
    join(&mut core, HERE, 1);
    handled(&mut core, ended(BOB, 1, Outcome::Fail));
    let effects = handled(&mut core, Input::Stop { reason: None, kill: false });
    assert_eq!(verdicts(&effects), [(5, false, there, None)]);
    let effects = handled(&mut core, ended(HERE, 2, Outcome::Pass));
    assert_eq!(effects, [Effect::Tell(AggregatorMsg::Over { not_run: 0, all_found: false })]);
}

#[test]
fn only_the_first_failures_are_confirmed_unless_all_are_to_be() {
    for (confirm, confirmed) in
        [(ConfirmFailures::Auto, 20), (ConfirmFailures::All, 30), (ConfirmFailures::Off, 0)]
    {
        let mut core = Core::new(confirm, Box::new(NoHistory));
        peer(&mut core, BOB, 30);
        handled(&mut core, found(&(0..30).collect::<Vec<_>>()));
        for lease in 1..=30 {
            handled(&mut core, started(BOB, lease));
        }
        join(&mut core, HERE, 1);
        let mut verdict = 0;
        for lease in 1..=30 {
            verdict += verdicts(&handled(&mut core, ended(BOB, lease, Outcome::Fail))).len();
        }
        let mut here = 0;
        while let Some((&LeaseId(lease), _)) = core.leases.first_key_value() {
            here += 1;
            verdict += verdicts(&handled(&mut core, ended(HERE, lease, Outcome::Fail))).len();
        }
        assert_eq!((here, verdict), (confirmed, 30));
    }
}

#[test]
fn a_peer_gets_no_more_while_its_first_failures_are_confirmed() {
    let mut core = Core::default();
    peer(&mut core, BOB, 3);
    join(&mut core, HERE, 3);
    handled(&mut core, found(&(0..60).collect::<Vec<_>>()));
    let bobs = |core: &Core| -> Vec<u64> {
        let of = |(lease, leased): (&LeaseId, &Leased)| (leased.executor == BOB).then_some(lease.0);
        core.leases.iter().filter_map(of).collect()
    };
    for _ in 0..2 {
        let lease = bobs(&core)[0];
        handled(&mut core, ended(BOB, lease, Outcome::Fail));
        assert_eq!(bobs(&core).len(), 3);
    }
    while let Some(&lease) = bobs(&core).first() {
        handled(&mut core, ended(BOB, lease, Outcome::Fail));
    }
    assert_eq!(core.held.len(), 5);
    while bobs(&core).is_empty() {
        let here = core.leases.iter().next().map(|(lease, _)| lease.0).unwrap();
        handled(&mut core, ended(HERE, here, Outcome::Fail));
    }
    assert_eq!(core.held.len(), 2);
}

#[test]
fn a_peer_that_differs_three_times_gets_no_more() {
    let mut core = Core::default();
    peer(&mut core, BOB, 4);
    handled(&mut core, found(&[1, 2, 3, 4]));
    for lease in 1..=4 {
        handled(&mut core, started(BOB, lease));
    }
    handled(&mut core, Input::AllFound);
    join(&mut core, HERE, 4);
    let mut last = Vec::new();
    for lease in 1..=3 {
        let given = leases(&handled(&mut core, ended(BOB, lease, Outcome::Fail)));
        assert_eq!((given.len(), given[0].1), (1, lease));
        last = handled(&mut core, ended(HERE, given[0].0, Outcome::Pass));
    }
    assert_eq!(notices(&last), ["peer7 gets no more tests: 3 tests that failed there are as expected here"]);
    assert!(last.contains(&Effect::StopExecutor { executor: BOB, kill: true }));
    // What it had is run here, and what it says later does not count.
    assert_eq!(leases(&last).iter().map(|lease| lease.1).collect::<Vec<_>>(), [4]);
    assert_eq!(handled(&mut core, ended(BOB, 4, Outcome::Pass)), []);
    let back = peer(&mut core, BOB, 4);
    assert_eq!(back, [Effect::StopExecutor { executor: BOB, kill: false }]);
}

#[test]
fn an_unable_peer_is_given_up_and_its_tests_run_elsewhere() {
    let mut core = Core::default();
    peer(&mut core, BOB, 3);
    handled(&mut core, found(&[1, 2, 3, 4]));
    handled(&mut core, Input::AllFound);
    assert_eq!(leases(&handled(&mut core, unable(BOB, 1))), [(4, 4, 1)], "not the same test again");
    join(&mut core, HERE, 2);
    assert_eq!(notices(&handled(&mut core, unable(BOB, 2))), [] as [&str; 0]);
    let effects = handled(&mut core, unable(BOB, 3));
    assert_eq!(notices(&effects), ["peer7 gets no more tests: no memory"]);
    assert!(effects.contains(&Effect::StopExecutor { executor: BOB, kill: true }));
    let mut verdict = 0;
    while let Some((&lease, _)) = core.leases.first_key_value() {
        verdict += verdicts(&handled(&mut core, ended(HERE, lease.0, Outcome::Pass))).len();
    }
    assert_eq!(verdict, 4);
}

#[test]
fn a_test_that_nobody_can_run_fails_with_the_reasons() {
    let (alice, mut core) = (ExecutorId(6), Core::default());
    peer(&mut core, alice, 1);
    handled(&mut core, found(&[1]));
    peer(&mut core, BOB, 1);
    assert_eq!(leases(&handled(&mut core, unable(alice, 1))), [(2, 1, 2)]);
    handled(&mut core, Input::AllFound);
    let effects = handled(&mut core, unable(BOB, 2));
    let (reason, place) =
        ("cannot run the test: peer6: no memory; peer7: no memory", Place::Peer("peer6".into()));
    assert_eq!(unrun(&mut core, effects), (1, Outcome::Fail, reason.to_owned(), place, 2));
    // What this machine cannot run has failed, as it would have without peers.
    let mut core = Core::default();
    join(&mut core, HERE, 1);
    handled(&mut core, found(&[2]));
    let effects = handled(&mut core, unable(HERE, 1));
    let reason = "cannot run the test: no memory".to_owned();
    assert_eq!(unrun(&mut core, effects), (2, Outcome::Fail, reason, Place::Local, 1));
}

/// Handles inputs at a time since a test's beginning.
fn at(core: &mut Core, begun: Instant, millis: u64, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    core.handle(begun + Duration::from_millis(millis), input, &mut effects);
    effects
}

/// Three tests: the peer has run one and has begun another, this machine has nothing to do.
fn one_runs_on_a_peer(begun: Instant) -> Core {
    let mut core = Core::default();
    let place = Place::Peer("peer7".into());
    at(&mut core, begun, 0, Input::Joined { executor: BOB, place, credit: 3, max_heavy: 1 });
    at(&mut core, begun, 0, found(&[1, 2]));
    at(&mut core, begun, 0, Input::AllFound);
    at(&mut core, begun, 0, started(BOB, 1));
    at(&mut core, begun, 100, ended(BOB, 1, Outcome::Pass));
    at(&mut core, begun, 100, started(BOB, 2));
    let local = Input::Joined { executor: HERE, place: Place::Local, credit: 3, max_heavy: 1 };
    assert_eq!(at(&mut core, begun, 100, local), []);
    core
}

#[test]
fn a_late_test_is_doubled_and_the_first_result_counts() {
    for first in [HERE, BOB] {
        let begun = Instant::now();
        let mut core = one_runs_on_a_peer(begun);
        assert_eq!(at(&mut core, begun, 1000, Input::Tick), []);
        assert_eq!(leases(&at(&mut core, begun, 1200, Input::Tick)), [(3, 2, 2)]);
        assert_eq!(at(&mut core, begun, 1201, started(HERE, 3)), [], "it was told already");
        assert_eq!(at(&mut core, begun, 60_000, Input::Tick), [], "nobody else is there");
        let (winner, loser) = if first == HERE { (3, (BOB, 2)) } else { (2, (HERE, 3)) };
        let effects = at(&mut core, begun, 60_100, ended(first, winner, Outcome::Pass));
        assert_eq!(verdicts(&effects).len(), 1);
        let withdraw = Effect::Withdraw { executor: loser.0, leases: vec![LeaseId(loser.1)] };
        assert_eq!(
            effects[1..],
            [withdraw, Effect::Tell(AggregatorMsg::Over { not_run: 0, all_found: true })]
        );
    }
}

#[test]
fn a_failure_of_a_doubled_test_on_a_peer_waits_for_the_double_here() {
    let begun = Instant::now();
    let mut core = one_runs_on_a_peer(begun);
    at(&mut core, begun, 1200, Input::Tick);
    assert_eq!(at(&mut core, begun, 1300, ended(BOB, 2, Outcome::Fail)), []);
    let effects = at(&mut core, begun, 1400, ended(HERE, 3, Outcome::Pass));
    assert_eq!(verdicts(&effects), [(2, true, Place::Local, Some("peer7"))]);
}

#[test]
fn a_suspected_executor_keeps_what_runs_and_gets_nothing_until_it_is_back() {
    let begun = Instant::now();
    let mut core = Core::default();
    peer(&mut core, BOB, 2);
    handled(&mut core, found(&[1, 2, 3]));
    handled(&mut core, Input::AllFound);
    handled(&mut core, started(BOB, 1));
    let effects = at(&mut core, begun, 3000, Input::news(BOB, ExecutorEventKind::Suspected));
    assert_eq!(effects, [Effect::Withdraw { executor: BOB, leases: vec![LeaseId(2)] }]);
    let ending = LeaseResult::Withdrawn;
    let answered = Input::news(BOB, ExecutorEventKind::Finished { lease: LeaseId(2), ending });
    assert_eq!(at(&mut core, begun, 3100, answered), []);
    let effects = at(&mut core, begun, 3200, Input::news(BOB, ExecutorEventKind::Recovered));
    assert_eq!(leases(&effects), [(3, 2, 1)], "it was not begun: the first attempt");
    // Suspected again, it loses what it has begun to nobody, but others may double it at once.
    at(&mut core, begun, 3300, started(BOB, 3));
    at(&mut core, begun, 3400, Input::news(BOB, ExecutorEventKind::Suspected));
    let place = Place::Local;
    let joined = Input::Joined { executor: HERE, place, credit: 9, max_heavy: 1 };
    assert_eq!(leases(&at(&mut core, begun, 3500, joined)), [(4, 3, 1)]);
    let doubled = leases(&at(&mut core, begun, 3600, Input::Tick));
    assert_eq!(doubled.iter().map(|lease| (lease.1, lease.2)).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
}

#[test]
fn few_tests_are_shared_and_many_come_in_batches() {
    let given = |effects: &[Effect]| -> Vec<(u32, usize)> {
        let of = |effect: &Effect| match effect {
            Effect::Assign { executor, leases } => Some((executor.0, leases.len())),
            _ => None,
        };
        effects.iter().filter_map(of).collect()
    };
    let mut core = Core::default();
    peer(&mut core, ExecutorId(1), 9);
    peer(&mut core, ExecutorId(2), 9);
    assert_eq!(given(&handled(&mut core, found(&[1, 2, 3, 4, 5, 6, 7, 8]))), [(1, 4), (2, 4)]);
    let many: Vec<u64> = (10..90).collect();
    assert_eq!(given(&handled(&mut core, found(&many))), [(1, 5), (2, 5)]);
    let first = ExecutorId(1);
    assert_eq!(given(&handled(&mut core, ended(first, 1, Outcome::Pass))), []);
    assert_eq!(given(&handled(&mut core, ended(first, 2, Outcome::Pass))), [(1, 2)]);
}

#[test]
fn leases_beyond_a_lowered_credit_go_back() {
    let mut core = Core::default();
    peer(&mut core, BOB, 4);
    handled(&mut core, found(&[1, 2, 3, 4]));
    for lease in [1, 2] {
        handled(&mut core, started(BOB, lease));
    }
    let effects = handled(&mut core, Input::news(BOB, ExecutorEventKind::Ready { credit: 1 }));
    let leases_back = vec![LeaseId(4), LeaseId(3)];
    assert_eq!(effects, [Effect::Withdraw { executor: BOB, leases: leases_back }]);
    assert_eq!(core.table.waiting(), 2);
}

#[test]
fn tests_that_had_not_begun_on_two_lost_peers_are_no_crashes() {
    let mut core = Core::default();
    handled(&mut core, found(&[1, 2]));
    handled(&mut core, Input::AllFound);
    for round in 1..=3 {
        let executor = ExecutorId(round);
        assert_eq!(leases(&peer(&mut core, executor, 2)).len(), 2);
        let here = Input::Joined { executor: HERE, place: Place::Local, credit: 0, max_heavy: 1 };
        handled(&mut core, here);
        let effects =
            handled(&mut core, Input::news(executor, ExecutorEventKind::Lost { reason: "killed".into() }));
        let notice = format!("peer{round} is lost: killed; 2 tests are run elsewhere");
        assert_eq!(effects, [Effect::notice(notice)]);
    }
}

#[test]
fn peers_that_do_not_answer_do_not_hold_up_a_stop() {
    let begun = Instant::now();
    let mut core = Core::default();
    peer(&mut core, BOB, 1);
    handled(&mut core, found(&[1]));
    at(&mut core, begun, 0, Input::Stop { reason: None, kill: false });
    assert_eq!(at(&mut core, begun, 1900, Input::Tick), []);
    assert_eq!(
        at(&mut core, begun, 2000, Input::Tick),
        [Effect::Tell(AggregatorMsg::Over { not_run: 1, all_found: false })]
    );
}
