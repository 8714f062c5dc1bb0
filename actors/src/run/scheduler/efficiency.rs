//! The scheduler's core in simulated time, with executors as they are: jobs, a queue, a network between, news in
//! batches. What is measured is the time from the first lease to the last verdict.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use flotilla_messages::port::work::NEWS_WAIT;
use flotilla_messages::{Captured, CaseId, Entry, Exit, Judgement, Memory, Outcome, Output, Place};

use super::core::Core;
use super::effect::{Effect, Input};
use super::policy::{ConfirmFailures, History};
use crate::execution::executor::{ExecutorEventKind, ExecutorId, Judged, Lease, LeaseId, LeaseResult};
use crate::run::aggregator::{AggregatorMsg, Attempt};
use crate::run::fake;

/// One way.
const LATENCY: Duration = Duration::from_millis(1);
/// What starting a process takes.
const SPAWN: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_millis(100);

/// What happens at a time, in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Assigned(u32, Vec<(u64, u64)>),
    Withdrawn(u32, Vec<u64>),
    Ended(u32, u64),
    Batch(u32),
    News(u32, u64, News),
    Fault(u32, Fault),
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    Started,
    Passed(Duration),
    Withdrawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// Its links are closed at once.
    Killed,
    /// Nothing is heard of it: suspected after 3 s, lost after 10 s.
    Stopped,
    Suspected,
    Lost,
    Back,
}

/// An executor: how many jobs, and how many times longer a test takes there.
#[derive(Clone)]
struct Machine {
    place: Place,
    jobs: usize,
    factor: f64,
    stopped: bool,
    queue: VecDeque<(u64, u64)>,
    running: BTreeMap<u64, u64>,
    news: Vec<(u64, News)>,
    kept: Vec<Event>,
}

impl Machine {
    fn new(place: Place, jobs: usize, factor: f64) -> Self {
        let (queue, running) = (VecDeque::new(), BTreeMap::new());
        Self { place, jobs, factor, stopped: false, queue, running, news: Vec::new(), kept: Vec::new() }
    }

    /// For tests that are not short.
    fn credit(&self) -> usize {
        self.jobs + self.jobs.max(8)
    }
}

struct World {
    core: Core,
    begun: Instant,
    now: Duration,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    order: u64,
    machines: BTreeMap<u32, Machine>,
    length: fn(u64) -> Duration,
    verdicts: BTreeSet<u64>,
    by_place: BTreeMap<String, u64>,
    last_verdict: Duration,
    started: u64,
    over: bool,
}

/// Tests last as long as they did.
struct Known(fn(u64) -> Duration);

impl History for Known {
    fn expected(&self, history_key: u64) -> Option<Duration> {
        Some((self.0)(history_key))
    }
}

impl World {
    fn new(machines: Vec<Machine>, length: fn(u64) -> Duration) -> Self {
        Self {
            core: Core::default(),
            begun: Instant::now(),
            now: Duration::ZERO,
            events: BinaryHeap::new(),
            order: 0,
            machines: (0..).zip(machines).collect(),
            length,
            verdicts: BTreeSet::new(),
            by_place: BTreeMap::new(),
            last_verdict: Duration::ZERO,
            started: 0,
            over: false,
        }
    }

    fn with_history(mut self) -> Self {
        self.core = Core::new(ConfirmFailures::Auto, Box::new(Known(self.length)));
        self
    }

    fn at(&mut self, after: Duration, event: Event) {
        self.order += 1;
        self.events.push(Reverse((self.now + after, self.order, event)));
    }

    /// Seconds from the first lease to the last verdict.
    fn run(&mut self, tests: u64) -> f64 {
        let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: id };
        self.handle(Input::Found((0..tests).map(entry).collect()));
        self.handle(Input::AllFound);
        for (id, machine) in self.machines.clone() {
            let credit = machine.credit();
            let (executor, place) = (ExecutorId(id), machine.place);
            self.handle(Input::Joined { executor, place, credit, max_heavy: 1 });
        }
        self.at(TICK, Event::Tick);
        while !self.over
            && let Some(Reverse((now, _, event))) = self.events.pop()
        {
            self.now = now;
            assert!(now < Duration::from_secs(3600), "the run does not end");
            self.event(event);
        }
        assert_eq!(self.verdicts.len() as u64, tests);
        self.last_verdict.as_secs_f64()
    }

    fn event(&mut self, event: Event) {
        let of = match &event {
            Event::Assigned(of, _) | Event::Withdrawn(of, _) | Event::Ended(of, _) | Event::Batch(of) => {
                Some(*of)
            }
            _ => None,
        };
        if let Some(of) = of {
            let Some(machine) = self.machines.get_mut(&of) else { return };
            if machine.stopped {
                machine.kept.push(event);
                return;
            }
        }
        match event {
            Event::Assigned(of, leases) => {
                self.machine(of).queue.extend(leases);
                self.start(of);
            }
            Event::Withdrawn(of, leases) => {
                for lease in leases {
                    let machine = self.machine(of);
                    let queued = machine.queue.len();
                    machine.queue.retain(|(other, _)| *other != lease);
                    if machine.queue.len() < queued || machine.running.remove(&lease).is_some() {
                        self.tell(of, lease, News::Withdrawn);
                    }
                }
                self.start(of);
            }
            Event::Ended(of, lease) => {
                if let Some(test) = self.machine(of).running.remove(&lease) {
                    let took = (self.length)(test).mul_f64(self.machine(of).factor);
                    self.tell(of, lease, News::Passed(took));
                    self.start(of);
                }
            }
            Event::Batch(of) => {
                for (lease, news) in std::mem::take(&mut self.machine(of).news) {
                    self.at(LATENCY, Event::News(of, lease, news));
                }
            }
            Event::News(of, lease, news) => self.news(ExecutorId(of), LeaseId(lease), news),
            Event::Fault(of, fault) => self.fault(of, fault),
            Event::Tick => {
                self.at(TICK, Event::Tick);
                self.handle(Input::Tick);
            }
        }
    }

    fn machine(&mut self, of: u32) -> &mut Machine {
        self.machines.get_mut(&of).unwrap()
    }

    fn start(&mut self, of: u32) {
        while self.machine(of).running.len() < self.machine(of).jobs
            && let Some((lease, test)) = self.machine(of).queue.pop_front()
        {
            self.started += 1;
            let took = (self.length)(test).mul_f64(self.machine(of).factor) + SPAWN;
            self.machine(of).running.insert(lease, test);
            self.tell(of, lease, News::Started);
            self.at(took, Event::Ended(of, lease));
        }
    }

    fn tell(&mut self, of: u32, lease: u64, news: News) {
        let machine = self.machine(of);
        if machine.place == Place::Local {
            self.at(Duration::ZERO, Event::News(of, lease, news));
            return;
        }
        machine.news.push((lease, news));
        let first = machine.news.len() == 1;
        // As a session does: what returns much credit goes at once, and what is told where hardly any wait.
        let finished = machine.news.iter().filter(|(_, news)| *news != News::Started).count();
        let returns = 4 * finished >= machine.credit();
        let starving = finished > 0 && machine.queue.len() < machine.jobs;
        if returns || starving {
            self.at(Duration::ZERO, Event::Batch(of));
        } else if first {
            self.at(NEWS_WAIT, Event::Batch(of));
        }
    }

    fn news(&mut self, executor: ExecutorId, lease: LeaseId, news: News) {
        let case = fake::case(CaseId(0), &["true"]);
        let ending = match news {
            News::Started => {
                self.handle(Input::news(executor, ExecutorEventKind::Started { lease, name: case.name }));
                return;
            }
            News::Withdrawn => LeaseResult::Withdrawn,
            News::Passed(duration) => {
                let output = Output {
                    exit: Exit::Code(0),
                    timed_out: false,
                    stdout: Captured::default(),
                    stderr: Captured::default(),
                    duration,
                    memory: Memory::default(),
                    started: None,
                };
                let judgement = Judgement { outcome: Outcome::Pass, why: None };
                LeaseResult::Judged(Box::new(Judged::of(case, output, judgement)))
            }
        };
        self.handle(Input::news(executor, ExecutorEventKind::Finished { lease, ending }));
    }

    fn fault(&mut self, of: u32, fault: Fault) {
        let executor = ExecutorId(of);
        let lost = |reason: &str| Input::news(executor, ExecutorEventKind::Lost { reason: reason.into() });
        match fault {
            Fault::Killed => {
                self.machines.remove(&of);
                self.handle(lost("killed"));
            }
            Fault::Stopped => {
                self.machine(of).stopped = true;
                self.at(Duration::from_secs(3), Event::Fault(of, Fault::Suspected));
                self.at(Duration::from_secs(10), Event::Fault(of, Fault::Lost));
            }
            Fault::Suspected if self.machine(of).stopped => {
                self.handle(Input::news(executor, ExecutorEventKind::Suspected));
            }
            Fault::Lost if self.machine(of).stopped => {
                self.machines.remove(&of);
                self.handle(lost("silent"));
            }
            Fault::Suspected | Fault::Lost => {}
            Fault::Back => {
                self.machine(of).stopped = false;
                for event in std::mem::take(&mut self.machine(of).kept) {
                    self.at(Duration::ZERO, event);
                }
                self.handle(Input::news(executor, ExecutorEventKind::Recovered));
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.core.handle(self.begun + self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Assign { executor, leases } => {
                    let leases = leases.iter().map(|Lease { id, test, .. }| (id.0, test.0)).collect();
                    self.at(LATENCY, Event::Assigned(executor.0, leases));
                }
                Effect::Withdraw { executor, leases } => {
                    let leases = leases.iter().map(|lease| lease.0).collect();
                    self.at(LATENCY, Event::Withdrawn(executor.0, leases));
                }
                Effect::Tell(AggregatorMsg::Verdict { test, tried: Attempt { place, .. }, .. }) => {
                    assert!(self.verdicts.insert(test.0), "a second verdict");
                    *self.by_place.entry(format!("{place:?}")).or_default() += 1;
                    self.last_verdict = self.now;
                }
                Effect::Tell(AggregatorMsg::Over { .. }) => self.over = true,
                Effect::ReadCase(_) | Effect::Stuck { .. } => panic!("{effect:?}"),
                _ => {}
            }
        }
    }
}

fn peers(count: usize, jobs: usize) -> Vec<Machine> {
    (0..count).map(|i| Machine::new(Place::Peer(format!("peer{i}")), jobs, 1.0)).collect()
}

fn tenth(_: u64) -> Duration {
    Duration::from_millis(100)
}

/// From 5 ms to 2 s, most of them short, without order.
fn mixed(test: u64) -> Duration {
    let part = (test.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1_u64 << 24) as f64;
    Duration::from_secs_f64(0.005 * 400_f64.powf(part))
}

fn check(what: &str, took: f64, ideal: f64, limit: f64) {
    println!("{what}: {took:.3} s, {:.3} of the ideal {ideal:.3} s (limit {limit})", took / ideal);
    assert!(took <= ideal * limit, "{what} takes {took} s, more than {limit} of {ideal} s");
}

#[test]
fn equal_peers_end_together() {
    let took = World::new(peers(8, 4), tenth).run(2000);
    check("8 peers of 4 jobs, 2000 tests of 100 ms", took, 6.3, 1.05);
}

#[test]
fn a_slow_peer_does_not_hold_up_the_end() {
    for factor in [4.0, 40.0] {
        let mut machines = peers(8, 4);
        machines[3].factor = factor;
        let ideal = 2000.0 / (280.0 + 40.0 / factor);
        let mut world = World::new(machines, tenth);
        let took = world.run(2000);
        check(&format!("one {factor} times slower"), took, ideal, if factor > 4.0 { 1.25 } else { 1.10 });
    }
}

#[test]
fn a_peer_killed_at_half_time_costs_its_share_only() {
    let mut world = World::new(peers(8, 4), tenth);
    world.at(Duration::from_millis(3150), Event::Fault(3, Fault::Killed));
    let took = world.run(2000);
    // 31 rounds of 32 before, 36 rounds of 28 after.
    check("one killed at half time", took, 6.7, 1.15);
}

#[test]
fn a_silent_peer_is_not_waited_for() {
    let mut world = World::new(peers(8, 4), tenth);
    world.at(Duration::from_millis(3150), Event::Fault(3, Fault::Stopped));
    let took = world.run(2000);
    check("one silent from half time", took, 6.7, 1.20);
}

#[test]
fn a_peer_that_comes_back_gives_no_second_verdicts() {
    for back in [4500, 6500, 7000] {
        let mut world = World::new(peers(3, 4), tenth);
        world.at(Duration::from_millis(1000), Event::Fault(1, Fault::Stopped));
        world.at(Duration::from_millis(back), Event::Fault(1, Fault::Back));
        let took = world.run(2000);
        let away = (back - 1000) as f64 / 1000.0;
        check(&format!("one of 3 silent for {away} s"), took, (200.0 + away * 4.0 / 1.2) / 12.0, 1.15);
    }
}

#[test]
fn this_machine_ends_the_run_alone_when_all_peers_stall() {
    let mut machines = peers(9, 4);
    machines[0].place = Place::Local;
    let mut world = World::new(machines, tenth);
    for peer in 1..9 {
        world.machine(peer).stopped = true;
    }
    let took = world.run(200);
    check("200 tests here, 8 peers silent and never suspected", took, 5.0, 1.5);
}

#[test]
fn what_is_known_of_lengths_shortens_the_end() {
    let total: f64 = (0..2000).map(|test| mixed(test).as_secs_f64()).sum();
    let ideal = total / 32.0;
    let took = World::new(peers(8, 4), mixed).run(2000);
    check("mixed tests, nothing known", took, ideal, 1.20);
    let mut world = World::new(peers(8, 4), mixed).with_history();
    let took = world.run(2000);
    check("mixed tests, lengths known", took, ideal, 1.05);
    println!("{} processes for 2000 tests", world.started);
}

#[test]
fn an_idle_executor_that_joins_late_takes_over_what_has_not_begun() {
    let mut machines = peers(2, 2);
    machines[0].place = Place::Local;
    machines[0].factor = 5.0;
    let took = World::new(machines, tenth).run(10);
    check("10 tests, the local machine 5 times slower", took, 10.0 / 24.0, 2.6);
}

#[test]
fn how_fast_peers_were_is_known_at_the_end() {
    let mut machines = peers(3, 4);
    machines[0] = Machine::new(Place::Local, 2, 1.0);
    machines[2].factor = 4.0;
    let mut world = World::new(machines, tenth);
    world.run(1000);
    let rates = world.core.rates(world.begun + world.now);
    let [(ExecutorId(1), even), (ExecutorId(2), slow)] = rates[..] else { panic!("{rates:?}") };
    // Four jobs, against one of this machine's.
    assert!((3600..4200).contains(&even) && (900..1100).contains(&slow), "{even}, {slow}");
    let mut world = World::new(peers(3, 4), tenth);
    world.run(1000);
    assert_eq!(world.core.rates(world.begun + world.now), [], "there is nothing to compare with");
}
