use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Instant;

use flotilla_messages::port::work::{MOST_LEASES, RemoteEnding, RemoteLease, RemoteNews, WorkMessage};
use flotilla_messages::{Captured, Exit, Judgement, Memory, Outcome, Output};

use super::*;
use crate::daemon::work::admission::tests::{case, key, packet, policy};
use crate::daemon::work::patience::Patience;
use crate::daemon::work::session::{Effect, Input, Session};
use crate::execution::executor::{Judged, LeaseResult};

/// A session with a pool behind it and a client before it that assigns whatever it may.
struct Loop {
    session: Session,
    now: Duration,
    begun: Instant,
    /// What happens at a time, in order.
    events: BinaryHeap<Reverse<(Duration, u64)>>,
    what: BTreeMap<u64, Event>,
    order: u64,
    /// One way between client and session.
    latency: Duration,
    length: Duration,
    jobs: usize,
    pool: VecDeque<RemoteLease>,
    running: usize,
    /// The client's.
    left: u64,
    next: u64,
    out: u64,
    credit: u64,
    messages: u64,
    most_out: u64,
}

enum Event {
    Said(WorkMessage),
    Heard(WorkMessage),
    Ended(Box<RemoteLease>),
    Time,
}

impl Loop {
    fn new(jobs: u16, length: Duration, latency: Duration) -> Self {
        let begun = Instant::now();
        Self {
            session: Session::new(begun, policy(), Patience::default(), jobs, 0),
            now: Duration::ZERO,
            begun,
            events: BinaryHeap::new(),
            what: BTreeMap::new(),
            order: 0,
            latency,
            length,
            jobs: jobs.into(),
            pool: VecDeque::new(),
            running: 0,
            left: 0,
            next: 0,
            out: 0,
            credit: 0,
            messages: 0,
            most_out: 0,
        }
    }

    fn at(&mut self, after: Duration, event: Event) {
        self.order += 1;
        self.what.insert(self.order, event);
        self.events.push(Reverse((self.now + after, self.order)));
    }

    fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.session.handle(self.begun + self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send(message) => self.at(self.latency, Event::Heard(message)),
                Effect::Run(leases) => self.pool.extend(leases),
                Effect::Survey => self.input(Input::Surveyed(Vec::new())),
                Effect::Prepare => self.input(Input::Prepared),
                Effect::Admitted(_) => {}
                other => panic!("{other:?}"),
            }
        }
        self.start();
        if let Some(deadline) = self.session.deadline() {
            let after = deadline.saturating_duration_since(self.begun + self.now);
            self.at(after, Event::Time);
        }
    }

    fn start(&mut self) {
        while self.running < self.jobs
            && let Some(lease) = self.pool.pop_front()
        {
            self.running += 1;
            let name = lease.case.name.clone();
            let number = lease.lease;
            self.at(self.length, Event::Ended(Box::new(lease)));
            self.input(Input::Started { lease: number, name });
        }
    }

    fn ended(&mut self, lease: RemoteLease) {
        self.running -= 1;
        let output = Output {
            exit: Exit::Code(0),
            timed_out: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
            duration: self.length,
            memory: Memory::default(),
            started: None,
        };
        let judgement = Judgement { outcome: Outcome::Pass, why: None };
        let judged = Judged::of(lease.case, output, judgement);
        self.input(Input::Finished { lease: lease.lease, ending: LeaseResult::Judged(Box::new(judged)) });
    }

    fn heard(&mut self, message: WorkMessage) {
        match message {
            WorkMessage::Ready { credit } => self.credit = credit.into(),
            WorkMessage::News(news) => {
                self.messages += 1;
                let judged = |news: &RemoteNews| {
                    matches!(news, RemoteNews::Finished { ending: RemoteEnding::Judged(_), .. })
                };
                self.out -= news.iter().filter(|news| judged(news)).count() as u64;
            }
            other => panic!("{other:?}"),
        }
        let count = self.credit.saturating_sub(self.out).min(self.left);
        // As the scheduler does: some at once are fewer messages.
        if count > 0 && (count >= self.credit / 4 || count == self.left) {
            self.left -= count;
            self.out += count;
            self.most_out = self.most_out.max(self.out);
            let lease = |lease| RemoteLease { lease, case: case("a"), keep_output: false };
            let leases: Vec<_> = (self.next..self.next + count).map(lease).collect();
            self.next += count;
            for leases in leases.chunks(MOST_LEASES) {
                self.at(self.latency, Event::Said(WorkMessage::Assign(leases.to_vec())));
            }
        }
    }

    /// Seconds until the last of these tests is known at the client.
    fn run(&mut self, tests: u64) -> f64 {
        self.left = tests;
        self.input(Input::Said(WorkMessage::Packet(packet().sign(&key(1)).unwrap().into())));
        while self.left > 0 || self.out > 0 || self.next == 0 {
            let Some(Reverse((now, order))) = self.events.pop() else { panic!("nothing happens any more") };
            self.now = now;
            match self.what.remove(&order) {
                Some(Event::Said(message)) => self.input(Input::Said(message)),
                Some(Event::Heard(message)) => self.heard(message),
                Some(Event::Ended(lease)) => self.ended(*lease),
                Some(Event::Time) | None => self.input(Input::Time),
            }
        }
        self.now.as_secs_f64()
    }
}

/// News waited for 50 ms with ten leases out: 2000 such tests took 8.7 s.
#[test]
fn short_tests_do_not_wait_for_their_client() {
    for (latency, limit) in [(0.1, 1.05), (1.0, 1.1), (10.0, 1.3), (50.0, 2.0)] {
        let latency = Duration::from_secs_f64(latency / 1000.0);
        let mut run = Loop::new(4, Duration::from_millis(1), latency);
        let took = run.run(4000);
        println!("{latency:?}: {took:.3} s of 1 s, {} messages, {} leases", run.messages, run.most_out);
        assert!(took < limit, "{latency:?}: {took} s");
        assert!(run.messages < 400, "{} messages", run.messages);
    }
}

#[test]
fn longer_tests_need_no_long_queue_and_slow_networks_do() {
    let (tenth, second) = (Duration::from_millis(100), Duration::from_secs(1));
    let mut run = Loop::new(4, tenth, Duration::from_millis(1));
    assert!(run.run(400) < 10.2);
    assert_eq!(run.most_out, 12);
    let mut run = Loop::new(4, tenth, Duration::from_millis(250));
    assert!(run.run(400) < 12.5);
    assert!(run.most_out < 4 + 40 + 1, "no more than a second's work waits: {}", run.most_out);
    let mut run = Loop::new(4, second, Duration::from_millis(1));
    run.run(40);
    assert_eq!(run.most_out, 12);
}

#[test]
fn a_little_more_or_less_is_not_worth_a_message() {
    let mut pace = Pace::default();
    assert_eq!(pace.credit(2, 0), 10);
    for _ in 0..ENOUGH {
        pace.took(Duration::from_millis(1));
    }
    let credit = pace.credit(2, 10);
    assert_eq!(credit, 102);
    pace.took(Duration::from_micros(900));
    assert_eq!(pace.credit(2, credit), credit);
    for _ in 0..1000 {
        pace.took(Duration::from_secs(1));
    }
    assert_eq!(pace.credit(2, credit), 10);
    assert_eq!(Pace { length: 0.0, samples: ENOUGH, starved: 10 }.credit(1000, 10), MOST_CREDIT as u32);
}
