//! The core by itself: what is legal, and any order of anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use flotilla_messages::inputs::{Digest, Pack};
use flotilla_messages::port::work::{
    JudgedRun, MOST_LEASES, MOST_NEWS, MOST_WANTED, NEWS_BYTES, NEWS_WAIT, RemoteEnding, RemoteLease,
    RemoteNews, WorkMessage,
};
use flotilla_messages::{Arg, Captured, Exit, Judgement, Memory, Outcome, Output};
use proptest::prelude::*;

use super::admission::tests::{case, key, packet, policy};
use super::patience::Patience;
use super::session::{Effect, Input, Session};
use crate::execution::executor::{Judged, LeaseResult};

const JOBS: u16 = 2;
/// Two jobs, and eight ahead.
const CREDIT: u32 = 10;

/// A core, its clock, and what it has said.
struct Bench {
    core: Session,
    now: Instant,
}

fn signed() -> WorkMessage {
    WorkMessage::Packet(packet().sign(&key(1)).unwrap().into())
}

fn pack() -> Pack {
    Pack { unpacked: 1, data: vec![1] }
}

fn lease(number: u64) -> RemoteLease {
    RemoteLease { lease: number, case: case("a"), keep_output: false }
}

fn assign(numbers: impl IntoIterator<Item = u64>) -> Input {
    Input::Said(WorkMessage::Assign(numbers.into_iter().map(lease).collect()))
}

fn judged(outcome: Outcome, text: usize) -> LeaseResult {
    let stdout = Captured::whole(vec![b'x'; text]);
    let stderr = Captured::default();
    let duration = Duration::from_millis(1);
    let output = Output {
        exit: Exit::Code(0),
        timed_out: false,
        stdout,
        stderr,
        duration,
        memory: Memory::default(),
        started: None,
    };
    let judgement = Judgement { outcome, why: None };
    LeaseResult::Judged(Box::new(Judged::of(case("a"), output, judgement)))
}

fn started(lease: u64) -> Input {
    Input::Started { lease, name: case("a").name }
}

fn passed(lease: u64) -> Input {
    Input::Finished { lease, ending: judged(Outcome::Pass, 5) }
}

/// The leases handed to the pool.
fn run(effects: &[Effect]) -> Vec<u64> {
    let runs = effects.iter().filter_map(|effect| match effect {
        Effect::Run(leases) => Some(leases.iter().map(|lease| lease.lease)),
        _ => None,
    });
    runs.flatten().collect()
}

fn news(effects: &[Effect]) -> Vec<RemoteNews> {
    let news = effects.iter().filter_map(|effect| match effect {
        Effect::Send(WorkMessage::News(news)) => Some(news.clone()),
        _ => None,
    });
    news.flatten().collect()
}

fn ended(effects: &[Effect]) -> Vec<(u64, RemoteEnding)> {
    let ends = news(effects).into_iter().filter_map(|news| match news {
        RemoteNews::Finished { lease, ending, .. } => Some((lease, ending)),
        RemoteNews::Started { .. } => None,
    });
    ends.collect()
}

/// The words of a refusal that ends the session.
fn refused(effects: &[Effect]) -> &str {
    match effects {
        [.., Effect::Send(WorkMessage::Refused { reason }), Effect::Close(close), Effect::Over(over)] => {
            assert_eq!((reason, reason), (close, over));
            reason
        }
        other => panic!("{other:?}"),
    }
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        Self { core: Session::new(now, policy(), Patience::default(), JOBS, 0), now }
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.handle(self.now, input, &mut effects);
        effects
    }

    fn said(&mut self, message: WorkMessage) -> Vec<Effect> {
        self.input(Input::Said(message))
    }

    fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.now += time;
        self.input(Input::Time)
    }

    /// Up to the first lease, without blobs.
    fn working() -> Self {
        let mut this = Self::new();
        let admitted = this.said(signed());
        assert!(matches!(&admitted[..], [Effect::Admitted(_), Effect::Survey]));
        assert_eq!(this.input(Input::Surveyed(Vec::new())), [Effect::Prepare]);
        let ready = Effect::Send(WorkMessage::Ready { credit: CREDIT });
        assert_eq!(this.input(Input::Prepared), [ready]);
        this
    }
}

#[test]
fn blobs_are_wanted_until_none_is_missing() {
    let mut bench = Bench::new();
    bench.said(signed());
    let digests: Vec<_> = (0..MOST_WANTED + 1).map(|number| Digest::of(&number.to_be_bytes())).collect();
    let want = |digests: &[Digest]| Effect::Send(WorkMessage::Want(digests.to_vec()));
    let (first, last) = digests.split_at(MOST_WANTED);
    assert_eq!(bench.input(Input::Surveyed(digests.clone())), [want(first), want(last)]);
    assert_eq!(bench.said(WorkMessage::Pack(pack())), [Effect::Store(pack())]);
    assert_eq!(bench.input(Input::Stored { left: 1 }), []);
    bench.said(WorkMessage::Pack(pack()));
    assert_eq!(bench.input(Input::Stored { left: 0 }), [Effect::Survey]);
    assert_eq!(bench.input(Input::Surveyed(Vec::new())), [Effect::Prepare]);
    // One was found damaged when it was used.
    assert_eq!(bench.input(Input::Lacking), [Effect::Survey]);
    assert_eq!(bench.input(Input::Surveyed(last.to_vec())), [want(last)]);
}

#[test]
fn what_another_peer_does_not_send_is_wanted_from_the_client() {
    let mut bench = Bench::new();
    bench.said(signed());
    let digest = Digest::of(b"large");
    bench.input(Input::Surveyed(vec![digest]));
    let (holder, address) = (policy().own, ([10, 0, 0, 1], 1).into());
    let elsewhere = || WorkMessage::Elsewhere { blobs: vec![digest], holder, address };
    let fetch = || Effect::Fetch { blobs: vec![digest], holder, address };
    let want = || Effect::Send(WorkMessage::Want(vec![digest]));
    assert_eq!(bench.said(elsewhere()), [fetch()]);
    // However long it takes: who fetches has a patience of its own.
    assert_eq!(bench.pass(Duration::from_secs(1000)), []);
    // Two at a time, and no more.
    assert_eq!(bench.said(elsewhere()), [fetch()]);
    assert_eq!(bench.said(elsewhere()), [want()]);
    let missing = vec![digest];
    assert_eq!(bench.input(Input::Fetched { left: 1, missing }), [want()]);
    assert_eq!(bench.input(Input::Fetched { left: 1, missing: Vec::new() }), []);
    // From here on the client is waited for again, from one pack to the next.
    bench.said(WorkMessage::Pack(pack()));
    bench.said(WorkMessage::Pack(pack()));
    bench.input(Input::Stored { left: 1 });
    assert_eq!(bench.pass(Duration::from_secs(1000)), [], "the second is still being stored");
    bench.input(Input::Stored { left: 1 });
    assert!(refused(&bench.pass(Duration::from_secs(1000))).contains("no blobs came in time"));
}

#[test]
fn who_fetches_is_no_client_and_a_client_does_not_fetch() {
    let digests = vec![Digest::of(b"large")];
    let effects = Bench::new().said(WorkMessage::Fetch(digests.clone()));
    assert!(matches!(&effects[..], [Effect::Serve(blobs), Effect::Over(_)] if *blobs == digests));
    assert!(refused(&Bench::working().said(WorkMessage::Fetch(digests))).contains("does not fetch"));
}

#[test]
fn a_tree_that_never_becomes_complete_is_given_up() {
    let mut bench = Bench::new();
    bench.said(signed());
    for _ in 0..1000 {
        bench.input(Input::Surveyed(vec![Digest::of(b"x")]));
        bench.said(WorkMessage::Pack(pack()));
        let effects = bench.input(Input::Stored { left: 0 });
        if effects != [Effect::Survey] {
            assert!(refused(&effects).contains("complete"));
            return;
        }
    }
    panic!("it goes on for ever");
}

#[test]
fn what_is_not_to_be_said_in_a_state_is_refused_in_words() {
    let asked = || Bench::new();
    let surveying = || {
        let mut bench = Bench::new();
        bench.said(signed());
        bench
    };
    let receiving = || {
        let mut bench = surveying();
        bench.input(Input::Surveyed(vec![Digest::of(b"x")]));
        bench
    };
    let preparing = || {
        let mut bench = surveying();
        bench.input(Input::Surveyed(Vec::new()));
        bench
    };
    let states: [(&dyn Fn() -> Bench, &[usize]); 5] = [
        // Which of the messages below are legal; Done always is.
        (&asked, &[0]),
        (&surveying, &[]),
        (&receiving, &[1]),
        (&preparing, &[]),
        (&Bench::working, &[2, 3]),
    ];
    for (state, (make, legal)) in states.iter().enumerate() {
        let messages = [
            signed(),
            WorkMessage::Pack(pack()),
            WorkMessage::Assign(vec![lease(1)]),
            WorkMessage::Withdraw(vec![1]),
            WorkMessage::Queue { ahead: 0 },
            WorkMessage::Want(Vec::new()),
            WorkMessage::Ready { credit: 1 },
            WorkMessage::News(Vec::new()),
            WorkMessage::Refused { reason: String::new() },
            WorkMessage::Withdraw(vec![1; MOST_LEASES + 1]),
        ];
        for (number, message) in messages.into_iter().enumerate() {
            let effects = make().said(message);
            if legal.contains(&number) {
                let refusal = |effect: &Effect| matches!(effect, Effect::Over(_));
                assert!(!effects.iter().any(refusal), "state {state}, message {number}: {effects:?}");
            } else {
                assert!(!refused(&effects).is_empty(), "state {state}, message {number}");
            }
        }
        let done = make().said(WorkMessage::Done);
        assert_eq!(done, [Effect::Close("done".into()), Effect::Over("done".into())]);
    }
}

#[test]
fn leases_beyond_the_credit_and_twice_the_same_are_refused() {
    let mut bench = Bench::working();
    assert_eq!(run(&bench.input(assign(0..10))).len(), 10);
    assert!(refused(&bench.input(assign([10]))).contains("more than 10"));
    let mut bench = Bench::working();
    bench.input(assign([1]));
    assert!(refused(&bench.input(assign([1]))).contains("twice"));
    let mut bench = Bench::working();
    assert!(refused(&bench.input(assign([1, 1]))).contains("twice"));
}

#[test]
fn news_wait_a_little_for_more_and_credit_returns_sooner() {
    let mut bench = Bench::working();
    bench.input(assign(0..10));
    assert_eq!(bench.input(started(0)), []);
    bench.now += Duration::from_millis(7);
    assert_eq!(bench.input(passed(0)), []);
    assert_eq!(bench.core.deadline(), Some(bench.now + NEWS_WAIT - Duration::from_millis(7)));
    let told = news(&bench.pass(NEWS_WAIT));
    let [RemoteNews::Started { lease: 0, .. }, RemoteNews::Finished { lease: 0, queued, .. }] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*queued, Duration::ZERO);
    // A quarter of the credit.
    assert_eq!(bench.input(passed(1)), []);
    assert_eq!(bench.input(passed(2)), []);
    assert_eq!(ended(&bench.input(passed(3))).len(), 3);
    // Where hardly any wait, it returns at once.
    let mut bench = Bench::working();
    bench.input(assign(0..4));
    bench.input(started(0));
    bench.input(started(1));
    assert_eq!(ended(&bench.input(passed(0))), [], "as many wait as there are jobs");
    assert_eq!(ended(&bench.input(started(2))).len(), 1);
    assert_eq!(ended(&bench.input(passed(1))).len(), 1);
}

#[test]
fn a_large_output_goes_by_itself_and_an_expected_one_stays_behind() {
    let mut bench = Bench::working();
    let mut kept = lease(1);
    kept.keep_output = true;
    bench.said(WorkMessage::Assign(vec![lease(0), kept, lease(2), lease(3)]));
    let finished = |lease, outcome, text| Input::Finished { lease, ending: judged(outcome, text) };
    let text = |effects: &[Effect]| -> Vec<(u64, usize)> {
        let text = |(lease, ending)| match ending {
            RemoteEnding::Judged(JudgedRun { output, .. }) => (lease, output.stdout.bytes.len()),
            other => panic!("{other:?}"),
        };
        ended(effects).into_iter().map(text).collect()
    };
    assert_eq!(bench.input(finished(0, Outcome::Pass, 9)), []);
    assert_eq!(bench.input(finished(1, Outcome::Pass, 8)), []);
    let effects = bench.input(finished(2, Outcome::Fail, NEWS_BYTES));
    assert_eq!(effects.len(), 2, "two messages");
    assert_eq!(text(&effects), [(0, 0), (1, 8), (2, NEWS_BYTES)]);
    let done = bench.core.done();
    assert_eq!((done.ran, done.unexpected, done.others), (3, 1, 0));
}

#[test]
fn claimed_slots_hold_leases_back() {
    let mut bench = Bench::working();
    let ready = |credit| Effect::Send(WorkMessage::Ready { credit });
    assert_eq!(bench.input(Input::Claimed(1)), [ready(9)]);
    // What was assigned before the client heard of it is in order.
    assert_eq!(run(&bench.input(assign(0..10))), [0]);
    assert_eq!(run(&bench.input(passed(0))), [1]);
    assert_eq!(bench.input(Input::Claimed(2)), [], "one slot is left in any case");
    let effects = bench.input(Input::Claimed(0));
    assert_eq!(effects[0], ready(10));
    assert_eq!(run(&effects), Vec::from_iter(2..10));
}

#[test]
fn withdrawn_leases_that_wait_are_answered_at_once_and_others_by_the_pool() {
    let mut bench = Bench::working();
    bench.input(Input::Claimed(1));
    bench.input(assign(0..3));
    let effects = bench.said(WorkMessage::Withdraw(vec![0, 1, 99]));
    assert_eq!(effects, [Effect::Withdraw(vec![0])]);
    let effects = bench.input(Input::Finished { lease: 0, ending: LeaseResult::Withdrawn });
    assert_eq!(run(&effects), [2]);
    let told = ended(&bench.pass(NEWS_WAIT));
    assert_eq!(told, [(1, RemoteEnding::Withdrawn), (0, RemoteEnding::Withdrawn)]);
}

#[test]
fn an_unconfined_case_fails_without_being_run() {
    let mut bench = Bench::working();
    let mut bad = lease(1);
    bad.case.args = vec![Arg::Path("../x".into())];
    let effects = bench.said(WorkMessage::Assign(vec![bad]));
    assert_eq!(run(&effects), [0_u64; 0]);
    let told = ended(&effects);
    assert!(matches!(&told[..], [(1, RemoteEnding::Failed { outcome: Outcome::Fail, .. })]), "{told:?}");
}

#[test]
fn a_client_that_does_nothing_is_not_waited_for_for_ever() {
    let patience = Patience::default();
    let mut bench = Bench::new();
    assert_eq!(bench.pass(patience.packet - Duration::from_millis(1)), []);
    assert!(refused(&bench.pass(Duration::from_millis(1))).contains("packet"));
    let mut bench = Bench::new();
    bench.said(signed());
    assert_eq!(bench.core.deadline(), None, "it is this machine that has to do something");
    bench.input(Input::Surveyed(vec![Digest::of(b"x")]));
    assert!(refused(&bench.pass(patience.pack)).contains("blobs"));
    let mut bench = Bench::working();
    assert_eq!(bench.pass(10 * patience.idle), [], "nobody else waits");
    bench.input(Input::Others(true));
    bench.input(assign([1]));
    assert_eq!(bench.pass(10 * patience.idle), [], "it has a lease");
    bench.input(passed(1));
    bench.pass(NEWS_WAIT);
    assert!(refused(&bench.pass(patience.idle)).contains("others"));
}

#[test]
fn results_that_wait_are_told_before_a_refusal() {
    let mut bench = Bench::working();
    bench.input(assign(1..6));
    bench.input(passed(1));
    let effects = bench.input(Input::Refuse("the end".into()));
    assert_eq!(ended(&effects).len(), 1);
    assert_eq!(refused(&effects), "the end");
    // A daemon that ends refuses nobody: it may be there again in a moment.
    let mut bench = Bench::working();
    bench.input(assign(1..6));
    bench.input(passed(1));
    let effects = bench.input(Input::Stop("restart".into()));
    assert_eq!(ended(&effects).len(), 1);
    assert_eq!(effects[1..], [Effect::Close("restart".into()), Effect::Over("restart".into())]);
}

/// One step of a random life.
#[derive(Clone, Debug)]
enum Step {
    Packet,
    Pack,
    /// This many, even beyond the credit if that is so.
    Assign(u64, bool),
    /// Some of what is out, by place.
    Withdraw(Vec<usize>),
    Done,
    Foreign,
    Surveyed(bool),
    Stored(bool),
    Prepared,
    Lacking,
    Started(usize),
    Finished(usize, u8),
    Claimed(u16),
    Others(bool),
    Time(u64),
    /// A pool that speaks of what it was not given.
    Invented(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Packet),
        1 => Just(Step::Pack),
        1 => Just(Step::Foreign),
        1 => Just(Step::Done),
        90 => (1..6_u64, prop::bool::weighted(0.01)).prop_map(|(count, beyond)| Step::Assign(count, beyond)),
        40 => prop::collection::vec(0..CREDIT as usize, 1..4).prop_map(Step::Withdraw),
        20 => any::<bool>().prop_map(Step::Surveyed),
        20 => any::<bool>().prop_map(Step::Stored),
        20 => Just(Step::Prepared),
        10 => Just(Step::Lacking),
        60 => (0..9_usize).prop_map(Step::Started),
        90 => ((0..9_usize), (0..5_u8)).prop_map(|(at, how)| Step::Finished(at, how)),
        30 => (0..4_u16).prop_map(Step::Claimed),
        20 => any::<bool>().prop_map(Step::Others),
        60 => (0..90_u64).prop_map(Step::Time),
        20 => (0..200_u64).prop_map(Step::Invented),
    ]
}

/// What a client and a pool know, to hold the core to.
#[derive(Default)]
struct Witness {
    /// Leased, by this client's knowledge.
    out: BTreeSet<u64>,
    /// Given to the pool and not ended there, with whether each has started.
    pool: BTreeMap<u64, bool>,
    over: bool,
    credit: u32,
    answered: usize,
    leased: usize,
}

impl Witness {
    fn see(&mut self, effects: &[Effect]) -> Result<(), TestCaseError> {
        for effect in effects {
            prop_assert!(!self.over, "after the end: {:?}", effect);
            match effect {
                Effect::Run(leases) => {
                    for lease in leases {
                        prop_assert!(self.out.contains(&lease.lease), "run and not leased");
                        prop_assert!(self.pool.insert(lease.lease, false).is_none(), "run twice");
                    }
                }
                Effect::Withdraw(leases) => {
                    prop_assert!(leases.iter().all(|lease| self.out.contains(lease)));
                }
                Effect::Send(WorkMessage::News(news)) => {
                    prop_assert!((1..=MOST_NEWS).contains(&news.len()));
                    for news in news {
                        match news {
                            RemoteNews::Started { lease, .. } => prop_assert!(self.out.contains(lease)),
                            RemoteNews::Finished { lease, .. } => {
                                prop_assert!(self.out.remove(lease), "a result for what is not leased");
                                self.answered += 1;
                            }
                        }
                    }
                }
                Effect::Send(WorkMessage::Ready { credit }) => {
                    prop_assert!(*credit > 0 && *credit != self.credit);
                    self.credit = *credit;
                }
                Effect::Over(_) => self.over = true,
                _ => {}
            }
        }
        Ok(())
    }
}

fn ending(how: u8) -> LeaseResult {
    match how {
        0 => judged(Outcome::Fail, NEWS_BYTES / 2),
        1 => LeaseResult::Unable { reason: "no".into() },
        2 => LeaseResult::Withdrawn,
        _ => judged(Outcome::Pass, 9),
    }
}

proptest! {
    #[test]
    fn each_lease_is_answered_once_and_nothing_else_is(
        begin in prop::bool::weighted(0.9), steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut bench = if begin { Bench::working() } else { Bench::new() };
        let mut witness = Witness::default();
        let mut next = 0;
        for step in steps {
            let running: Vec<u64> = witness.pool.keys().copied().collect();
            let effects = match step {
                Step::Packet => bench.said(signed()),
                Step::Pack => bench.said(WorkMessage::Pack(pack())),
                Step::Assign(count, beyond) => {
                    let room = u64::from(CREDIT).saturating_sub(witness.out.len() as u64);
                    let numbers = next..next + if beyond { count } else { count.min(room) };
                    next = numbers.end;
                    witness.leased += numbers.clone().count();
                    witness.out.extend(numbers.clone());
                    bench.input(assign(numbers))
                }
                Step::Withdraw(places) => {
                    let out: Vec<u64> = witness.out.iter().copied().collect();
                    let numbers = places.iter().filter_map(|place| out.get(*place)).copied();
                    bench.said(WorkMessage::Withdraw(numbers.collect()))
                }
                Step::Done => bench.said(WorkMessage::Done),
                Step::Foreign => bench.said(WorkMessage::Ready { credit: 3 }),
                Step::Surveyed(all) => {
                    bench.input(Input::Surveyed(if all { vec![] } else { vec![Digest::of(b"x")] }))
                }
                Step::Stored(all) => bench.input(Input::Stored { left: usize::from(!all) }),
                Step::Prepared => bench.input(Input::Prepared),
                Step::Lacking => bench.input(Input::Lacking),
                Step::Started(at) => match running.get(at) {
                    Some(lease) => {
                        witness.pool.insert(*lease, true);
                        bench.input(started(*lease))
                    }
                    None => continue,
                },
                Step::Finished(at, how) => match running.get(at) {
                    Some(lease) => {
                        witness.pool.remove(lease);
                        bench.input(Input::Finished { lease: *lease, ending: ending(how) })
                    }
                    None => continue,
                },
                Step::Claimed(claimed) => bench.input(Input::Claimed(claimed)),
                Step::Others(others) => bench.input(Input::Others(others)),
                Step::Time(passed) => bench.pass(Duration::from_millis(passed)),
                Step::Invented(lease) if !witness.pool.contains_key(&lease) && !witness.out.contains(&lease) => {
                    bench.input(passed(lease))
                }
                Step::Invented(_) => continue,
            };
            witness.see(&effects)?;
            let running = witness.pool.values().filter(|started| **started).count();
            prop_assert!(witness.over || usize::from(bench.core.running()) == running);
            prop_assert!(witness.over || witness.pool.len() <= CREDIT as usize);
            prop_assert_eq!(bench.core.is_over(), witness.over);
        }
        if !witness.over {
            // What the pool has ends; then all is answered.
            while let Some((&lease, _)) = witness.pool.first_key_value() {
                witness.pool.remove(&lease);
                let effects = bench.input(passed(lease));
                witness.see(&effects)?;
            }
            let effects = bench.pass(NEWS_WAIT);
            witness.see(&effects)?;
            if !witness.over {
                prop_assert!(witness.out.is_empty(), "not answered: {:?}", witness.out);
                prop_assert_eq!(witness.answered, witness.leased);
            }
        }
    }
}
