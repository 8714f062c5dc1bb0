//! Whatever a peer says, each lease is answered once.

use std::collections::BTreeSet;
use std::time::Duration;

use flotilla_messages::inputs::{Digest, Pack};
use flotilla_messages::port::work::{MOST_LEASES, RemoteEnding, RemoteNews, WorkMessage};
use flotilla_messages::wire::{Codec, Limits};
use flotilla_messages::{Captured, CaseId, Exit, Judgement, Memory, Outcome, Output};
use proptest::prelude::*;

use super::core::{Core, Effect, Input};
use crate::execution::executor::{ExecutorEventKind, Failed, Lease, LeaseId, LeaseResult};
use crate::run::fake;

const BLOBS: usize = 10;

fn lease(id: u64) -> Lease {
    Lease { id: LeaseId(id), test: CaseId(id), attempt: 1 }
}

fn made(id: u64) -> (LeaseId, super::Made) {
    (LeaseId(id), Ok(Box::new(fake::case(CaseId(id), &["/bin/true"]))))
}

fn finished(lease: u64, ending: RemoteEnding) -> RemoteNews {
    RemoteNews::Finished { lease, ending, queued: Duration::ZERO }
}

fn failed() -> RemoteEnding {
    RemoteEnding::Failed { outcome: Outcome::Fail, reason: "x\u{1b}[2J".into() }
}

/// A core, and all it has done.
struct Bench {
    core: Core,
    done: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        Self { core: Core::new(BLOBS, false), done: Vec::new() }
    }

    fn serving() -> Self {
        let mut bench = Self::new();
        bench.take(Input::Up);
        bench.say(WorkMessage::Queue { ahead: 0 });
        bench.say(WorkMessage::Ready { credit: 8 });
        bench
    }

    fn take(&mut self, input: Input) -> &[Effect] {
        let from = self.done.len();
        self.core.handle(input, &mut self.done);
        &self.done[from..]
    }

    fn say(&mut self, message: WorkMessage) -> &[Effect] {
        self.take(Input::Said(message))
    }

    fn answers(&self) -> Vec<(u64, &LeaseResult)> {
        let answer = |effect| match effect {
            &Effect::News(ExecutorEventKind::Finished { lease, ref ending }) => Some((lease.0, ending)),
            _ => None,
        };
        self.done.iter().filter_map(answer).collect()
    }

    fn reason(&self) -> Option<&str> {
        self.done.iter().find_map(|effect| match effect {
            Effect::Over { reason, .. } => reason.as_deref(),
            _ => None,
        })
    }
}

#[test]
fn the_packet_is_sent_when_it_is_our_turn_and_once() {
    let mut bench = Bench::new();
    bench.take(Input::Up);
    assert!(matches!(bench.say(WorkMessage::Queue { ahead: 2 }), [Effect::Waits { ahead: 2 }]));
    assert!(bench.say(WorkMessage::Queue { ahead: 1 }).is_empty(), "it is said once");
    assert!(matches!(bench.say(WorkMessage::Queue { ahead: 0 }), [Effect::SendPacket]));
    assert!(bench.say(WorkMessage::Queue { ahead: 0 }).is_empty());
    let want = WorkMessage::Want(vec![Digest::of(b"")]);
    assert!(matches!(bench.say(want), [Effect::SendBlobs(asked)] if asked.len() == 1));
    assert!(matches!(bench.say(WorkMessage::Ready { credit: 3 }), [Effect::Join { credit: 3 }]));
    let news = bench.say(WorkMessage::Ready { credit: 1 });
    assert!(matches!(news, [Effect::News(ExecutorEventKind::Ready { credit: 1 })]));
}

#[test]
fn a_peer_that_asks_for_blobs_without_end_is_left() {
    let mut bench = Bench::new();
    bench.take(Input::Up);
    bench.say(WorkMessage::Queue { ahead: 0 });
    for _ in 0..3 {
        bench.say(WorkMessage::Want(vec![Digest::of(b""); BLOBS]));
    }
    assert_eq!(bench.reason(), Some("it breaks the protocol: it asks for blobs without end"));
}

#[test]
fn what_a_peers_judge_says_is_shown_escaped_and_within_bounds() {
    let mut bench = Bench::serving();
    bench.take(Input::Assign(vec![lease(1)]));
    bench.take(Input::Made(vec![made(1)]));
    let why = format!("\u{1b}]0;mine\u{7} \u{202e}{}", "x".repeat(3000));
    let judgement = Judgement { outcome: Outcome::Fail, why: Some(why) };
    let difference = Some("-a\tb\n+c\u{1b}[2J\n".to_owned());
    let output = Output {
        exit: Exit::Code(1),
        timed_out: false,
        stdout: Captured::default(),
        stderr: Captured::default(),
        duration: Duration::ZERO,
        memory: Memory::default(),
        started: None,
    };
    let judged =
        RemoteEnding::Judged(flotilla_messages::port::work::JudgedRun { output, judgement, difference });
    bench.say(WorkMessage::News(vec![finished(1, judged)]));
    let [(1, LeaseResult::Judged(judged))] = bench.answers()[..] else { panic!("{:?}", bench.answers()) };
    let why = judged.run.judgement.why.as_deref().unwrap();
    assert!(why.starts_with(r"\u{1b}]0;mine\u{7} \u{202e}xxx") && why.ends_with("x..."), "{why}");
    assert!(why.chars().count() <= 2000);
    assert_eq!(judged.run.difference.as_deref(), Some("-a\tb\n+c\\u{1b}[2J\n"), "lines stay lines");
}

#[test]
fn a_second_result_and_a_result_for_nothing_are_not_counted() {
    let mut bench = Bench::serving();
    bench.take(Input::Assign(vec![lease(1), lease(2)]));
    bench.take(Input::Made(vec![made(1)]));
    // The second one is not there yet.
    for id in [1, 1, 2, 3] {
        bench.say(WorkMessage::News(vec![finished(id, failed())]));
    }
    let [(1, LeaseResult::Failed(failure))] = bench.answers()[..] else { panic!("{:?}", bench.answers()) };
    assert_eq!(failure.reason, r"x\u{1b}[2J", "a peer does not write on the terminal");
    assert!(!bench.core.is_over());
    for _ in 0..20 {
        bench.say(WorkMessage::News(vec![finished(7, failed()); 64]));
    }
    assert!(bench.reason().unwrap().contains("tests that it was not given"));
}

#[test]
fn what_a_peer_cannot_run_or_gives_back_is_no_verdict() {
    let mut bench = Bench::serving();
    bench.take(Input::Assign((1..=4).map(lease).collect()));
    bench.take(Input::Made((1..=4).map(made).collect()));
    bench.take(Input::Withdraw(vec![LeaseId(3), LeaseId(4)]));
    let unable = || RemoteEnding::Unable { reason: "no space left".into() };
    for (id, ending) in
        [(1, unable()), (2, RemoteEnding::Withdrawn), (3, RemoteEnding::Withdrawn), (4, unable())]
    {
        bench.say(WorkMessage::News(vec![finished(id, ending)]));
    }
    let unable = |reason: &str| LeaseResult::Unable { reason: reason.into() };
    let expected = [
        (1, &unable("no space left")),
        (2, &unable("it gave the test back")),
        (3, &LeaseResult::Withdrawn),
        (4, &LeaseResult::Withdrawn),
    ];
    assert_eq!(bench.answers(), expected);
}

#[test]
fn a_test_that_cannot_be_made_is_answered_here() {
    let mut bench = Bench::serving();
    bench.take(Input::Assign(vec![lease(1)]));
    let failed = Box::new(Failed::nameless(CaseId(1), "gone".into()));
    bench.take(Input::Made(vec![(LeaseId(1), Err(failed))]));
    assert!(matches!(bench.answers()[..], [(1, LeaseResult::Failed(_))]));
    assert!(!bench.done.iter().any(|effect| matches!(effect, Effect::Send(_))));
}

#[test]
fn many_and_large_cases_go_in_messages_that_fit() {
    let mut bench = Bench::serving();
    let count = 2 * MOST_LEASES as u64 + 10;
    bench.take(Input::Assign((0..count).map(lease).collect()));
    let text = |id: u64| match id {
        // A few of 200 kB among small ones, and one that is too large for any frame.
        0..10 => 200_000,
        10 => 5 << 20,
        _ => 10,
    };
    let large = |id: u64| {
        let (lease, made) = made(id);
        let mut case = made.unwrap();
        // Snappy finds nothing in it.
        let noise = (0..text(id)).map(|at| char::from(b' ' + ((at * at * 31 + at / 7 + id) % 90) as u8));
        case.args.push(flotilla_messages::Arg::Text(noise.collect()));
        (lease, Ok(case))
    };
    bench.take(Input::Made((0..count).map(large).collect()));
    let mut codec = Codec::new(Limits::ESTABLISHED);
    let mut assigned = Vec::new();
    for effect in &bench.done {
        let Effect::Send(message) = effect else { continue };
        let mut frame = bytes::BytesMut::new();
        codec.encode(message, &mut frame).unwrap();
        assert!(message.is_within_limits() && frame.len() < 1 << 20);
        let WorkMessage::Assign(leases) = message else { panic!("{message:?}") };
        assigned.extend(leases.iter().map(|lease| lease.lease));
    }
    assert_eq!(assigned, Vec::from_iter((0..count).filter(|id| *id != 10)));
    let [(10, LeaseResult::Unable { reason })] = bench.answers()[..] else { panic!("{:?}", bench.answers()) };
    assert!(reason.contains("too long to be sent"), "{reason}");
}

#[test]
fn only_a_peer_that_went_without_a_word_is_worth_another_dial() {
    let again = |input| {
        let mut bench = Bench::serving();
        match bench.take(input) {
            [.., Effect::Over { joined: true, again, .. }] => *again,
            other => panic!("{other:?}"),
        }
    };
    assert!(again(Input::Ended { reason: "cut".into(), again: true }));
    assert!(!again(Input::Ended { reason: "refused".into(), again: false }));
    assert!(!again(Input::Said(WorkMessage::Refused { reason: "no".into() })));
    assert!(!again(Input::Said(WorkMessage::Done)), "it breaks the protocol");
    assert!(!again(Input::Trouble("a file has changed".into())));
    assert!(!again(Input::Distrusted));
    assert!(!again(Input::Stop));
}

#[derive(Clone, Debug)]
enum Step {
    Assign(u8),
    Make,
    Withdraw(u64),
    Say(WorkMessage),
    Stop,
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending = || {
        prop_oneof![
            4 => Just(failed()),
            1 => Just(RemoteEnding::Withdrawn),
            1 => Just(RemoteEnding::Unable { reason: String::new() }),
        ]
    };
    let name = fake::name(CaseId(0));
    let news = prop_oneof![
        (0..30_u64).prop_map(move |lease| RemoteNews::Started { lease, name: name.clone() }),
        (0..30_u64, ending()).prop_map(|(lease, ending)| finished(lease, ending)),
    ];
    let said = prop_oneof![
        30 => prop::collection::vec(news, 0..6).prop_map(WorkMessage::News),
        5 => (0..3_u16).prop_map(|ahead| WorkMessage::Queue { ahead }),
        10 => (0..9_u32).prop_map(|credit| WorkMessage::Ready { credit }),
        2 => Just(WorkMessage::Want(vec![Digest::of(b"")])),
        1 => Just(WorkMessage::Pack(Pack { unpacked: 0, data: Vec::new() })),
        1 => Just(WorkMessage::Done),
        1 => Just(WorkMessage::Refused { reason: String::new() }),
    ];
    let step = prop_oneof![
        20 => (0..4_u8).prop_map(Step::Assign),
        20 => Just(Step::Make),
        10 => (0..30_u64).prop_map(Step::Withdraw),
        40 => said.prop_map(Step::Say),
        1 => Just(Step::Stop),
        1 => Just(Step::End),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn each_lease_is_answered_once_or_the_peer_is_lost(steps in steps(), early in any::<bool>()) {
        let mut bench = if early { Bench::new() } else { Bench::serving() };
        bench.take(Input::Up);
        let mut leased = BTreeSet::new();
        let mut making = Vec::new();
        let mut joined = !early;
        let mut lost = false;
        for step in steps {
            let from = bench.done.len();
            let was_over = bench.core.is_over();
            match step {
                Step::Assign(count) if joined && !lost => {
                    let next = leased.len() as u64;
                    let ids: Vec<u64> = (next..next + u64::from(count)).collect();
                    leased.extend(&ids);
                    bench.take(Input::Assign(ids.into_iter().map(lease).collect()));
                }
                Step::Assign(_) => {}
                Step::Make => {
                    bench.take(Input::Made(making.drain(..).map(made).collect()));
                }
                Step::Withdraw(id) => {
                    bench.take(Input::Withdraw(vec![LeaseId(id)]));
                }
                Step::Say(message) => {
                    bench.say(message);
                }
                Step::Stop => {
                    bench.take(Input::Stop);
                }
                Step::End => {
                    bench.take(Input::Ended { reason: "cut".into(), again: true });
                }
            }
            for effect in &bench.done[from..] {
                match effect {
                    Effect::Make(leases) => making.extend(leases.iter().map(|lease| lease.id.0)),
                    Effect::Join { .. } => joined = true,
                    Effect::News(what) => {
                        prop_assert!(joined && !lost, "news of one the scheduler does not know: {what:?}");
                        lost = matches!(what, ExecutorEventKind::Lost { .. });
                    }
                    other => prop_assert!(!was_over, "after its end: {other:?}"),
                }
            }
        }
        bench.take(Input::Made(making.drain(..).map(made).collect()));
        bench.take(Input::Stop);
        let answers: Vec<u64> = bench.answers().into_iter().map(|(lease, _)| lease).collect();
        let once: BTreeSet<u64> = answers.iter().copied().collect();
        prop_assert_eq!(answers.len(), once.len(), "twice: {:?}", answers);
        prop_assert!(once.is_subset(&leased));
        if !lost {
            prop_assert_eq!(once, leased);
        }
        let overs = bench.done.iter().filter(|effect| matches!(effect, Effect::Over { .. })).count();
        prop_assert_eq!(overs, 1);
    }
}
