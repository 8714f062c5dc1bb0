//! The scheduler as an actor, with the local pool and a peer that is no good.

use std::cell::RefCell;
use std::env;
use std::num::NonZeroUsize;
use std::rc::Rc;

use flotilla_messages::{Event, EventKind, Outcome, Summary, TestReport};
use tokio::sync::mpsc;

use super::*;
use crate::execution::executor::{ExecutorEventKind, Judged, Lease, LeaseResult};
use crate::execution::marker::RunId;
use crate::execution::pool::{LocalPool, Setup};
use crate::execution::process::Launcher;
use crate::kit::DeathWatch;
use crate::run::RunEvent;
use crate::run::aggregator::{Reporter, ResultAggregator, VerdictPolicy};
use crate::run::fake::{Fake, case};

const HERE: ExecutorId = ExecutorId(0);
const BOB: ExecutorId = ExecutorId(1);

/// What a peer does with its leases.
#[derive(Clone, Copy)]
enum Manner {
    /// It begins the first and is never heard of again.
    Silent,
    /// All of them fail.
    Failing,
    /// It cannot run any.
    Unable,
}

struct Peer {
    manner: Manner,
    cases: Arc<dyn Cases>,
    scheduler: Recipient<ExecutorEvent>,
}

impl Actor for Peer {
    type Context = Context<Self>;
}

impl Peer {
    fn tell(&self, what: ExecutorEventKind) {
        self.scheduler.do_send(ExecutorEvent { executor: BOB, kind: what });
    }

    fn answer(&self, Lease { id: lease, test, .. }: Lease) {
        let case = self.cases.case(test).unwrap();
        self.tell(ExecutorEventKind::Started { lease, name: case.name.clone() });
        let ending = match self.manner {
            Manner::Silent => return,
            Manner::Unable => LeaseResult::Unable { reason: "no space left on device".into() },
            Manner::Failing => {
                let output = flotilla_messages::Output {
                    exit: flotilla_messages::Exit::Code(1),
                    timed_out: false,
                    stdout: Default::default(),
                    stderr: Default::default(),
                    duration: Duration::from_millis(1),
                    memory: flotilla_messages::Memory::default(),
                    started: None,
                };
                let judgement = flotilla_messages::Judgement { outcome: Outcome::Fail, why: None };
                LeaseResult::Judged(Box::new(Judged::of(case, output, judgement)))
            }
        };
        self.tell(ExecutorEventKind::Finished { lease, ending });
    }
}

impl Handler<Order> for Peer {
    type Result = ();

    fn handle(&mut self, order: Order, _: &mut Self::Context) {
        if let Order::Assign(leases) = order {
            let answered = if matches!(self.manner, Manner::Silent) { 1 } else { leases.len() };
            leases.into_iter().take(answered).for_each(|lease| self.answer(lease));
        }
    }
}

struct Kept(Rc<RefCell<Vec<EventKind>>>);

impl Reporter for Kept {
    fn event(&mut self, event: &Event) {
        self.0.borrow_mut().push(event.kind.clone());
    }
}

/// Twenty tests here and on such a peer.
fn run_with(manner: Manner) -> (Summary, Vec<EventKind>) {
    let events = Rc::new(RefCell::new(Vec::new()));
    let kept: Vec<Box<dyn Reporter>> = vec![Box::new(Kept(Rc::clone(&events)))];
    let summary = actix_rt::System::new().block_on(async {
        let make = |id| Ok(case(id, &["sleep", "0.02"]));
        let cases: Arc<dyn Cases> = Arc::new(Fake { count: 20, make: Box::new(make) });
        let (owner, mut incoming) = mpsc::unbounded_channel();
        let listed = Arc::clone(&cases);
        let watch = DeathWatch::new("aggregator", owner.clone());
        let aggregator = ResultAggregator::new(VerdictPolicy::default(), kept, watch).start().recipient();
        let scheduler = Scheduler::create(|context| {
            let scheduler = Scheduler::new(listed, aggregator, DeathWatch::new("scheduler", owner.clone()));
            scheduler.list(context.address().recipient()).unwrap();
            scheduler
        });
        let peer =
            Peer { manner, cases: Arc::clone(&cases), scheduler: scheduler.clone().recipient() }.start();
        let place = Place::Peer("bob".into());
        let orders = peer.recipient();
        scheduler.do_send(Join { executor: BOB, place, credit: 8, max_heavy: 1, orders });
        let setup = Setup {
            run: RunId::random(),
            launcher: Launcher::new("/".into(), vec![("PATH".into(), env::var_os("PATH").unwrap())]),
            builtin: Vec::new(),
            output_cap: 0,
            memory: false,
            orphans: None,
            scratch: "/nonexistent".into(),
            guest: None,
        };
        let jobs = NonZeroUsize::new(2).unwrap();
        let pool = LocalPool::new(HERE, jobs, setup, cases, scheduler.clone().recipient()).unwrap();
        let (place, credit, orders) = (Place::Local, LocalPool::credit(jobs), pool.start().recipient());
        scheduler.do_send(Join { executor: HERE, place, credit, max_heavy: 1, orders });
        loop {
            match incoming.recv().await {
                Some(RunEvent::Done(summary)) => return summary,
                other => assert!(other.is_some(), "the run has no end"),
            }
        }
    });
    (summary, events.take())
}

fn reports(events: &[EventKind]) -> Vec<&TestReport> {
    let finished = events.iter().filter_map(|event| match event {
        EventKind::Finished(report) => Some(&**report),
        _ => None,
    });
    finished.collect()
}

fn check(manner: Manner, notice: Option<&str>) -> Vec<EventKind> {
    let (summary, events) = run_with(manner);
    assert_eq!((summary.counts.expected, summary.counts.unexpected, summary.not_run), (20, 0, 0));
    assert_eq!(reports(&events).len(), 20);
    assert!(reports(&events).iter().all(|report| report.place == Place::Local));
    let found = |event: &EventKind| matches!((event, notice), (EventKind::Notice(text), Some(notice)) if text == notice);
    assert_eq!(events.iter().any(found), notice.is_some(), "{events:?}");
    events
}

#[test]
fn a_peer_that_falls_silent_holds_up_nothing() {
    check(Manner::Silent, None);
}

#[test]
fn a_peer_on_which_everything_fails_is_found_out() {
    let notice = "bob gets no more tests: 3 tests that failed there are as expected here";
    let events = check(Manner::Failing, Some(notice));
    let differ = reports(&events).iter().filter(|report| report.differs_on.as_deref() == Some("bob")).count();
    // Two, and all it had when the third came.
    assert!((3..=10).contains(&differ), "{differ} differ");
}

#[test]
fn a_peer_that_can_run_nothing_is_left_out() {
    check(Manner::Unable, Some("bob gets no more tests: no space left on device"));
}

/// An executor that can run nothing, on this machine: without it, nobody can.
struct Helpless(Recipient<ExecutorEvent>);

impl Actor for Helpless {
    type Context = Context<Self>;
}

impl Handler<Order> for Helpless {
    type Result = ();

    fn handle(&mut self, order: Order, _: &mut Self::Context) {
        if let Order::Assign(leases) = order {
            for lease in leases {
                let ending = LeaseResult::Unable { reason: "no space left on device".into() };
                let what = ExecutorEventKind::Finished { lease: lease.id, ending };
                self.0.do_send(ExecutorEvent { executor: HERE, kind: what });
            }
        }
    }
}

#[test]
fn the_case_of_a_test_that_nobody_can_run_is_read_on_a_thread_of_its_own() {
    let events = Rc::new(RefCell::new(Vec::new()));
    let kept: Vec<Box<dyn Reporter>> = vec![Box::new(Kept(Rc::clone(&events)))];
    let arbiter = std::thread::current().id();
    let summary = actix_rt::System::new().block_on(async {
        let make = move |id: flotilla_messages::CaseId| {
            assert_ne!(std::thread::current().id(), arbiter, "the arbiter waits for a disk");
            assert_ne!(id.0, 1, "one of the cases breaks");
            Ok(case(id, &["true"]))
        };
        let cases: Arc<dyn Cases> = Arc::new(Fake { count: 3, make: Box::new(make) });
        let (owner, mut incoming) = mpsc::unbounded_channel();
        let watch = DeathWatch::new("aggregator", owner.clone());
        let aggregator = ResultAggregator::new(VerdictPolicy::default(), kept, watch).start().recipient();
        let scheduler = Scheduler::create(|context| {
            let scheduler = Scheduler::new(cases, aggregator, DeathWatch::new("scheduler", owner.clone()));
            scheduler.list(context.address().recipient()).unwrap();
            scheduler
        });
        let orders = Helpless(scheduler.clone().recipient()).start().recipient();
        scheduler.do_send(Join { executor: HERE, place: Place::Local, credit: 2, max_heavy: 1, orders });
        loop {
            match incoming.recv().await {
                Some(RunEvent::Done(summary)) => return summary,
                other => assert!(other.is_some(), "the run has no end"),
            }
        }
    });
    assert_eq!((summary.counts.unexpected, summary.not_run), (3, 0));
    let events = events.take();
    let mut reports: Vec<_> =
        reports(&events).iter().map(|report| (report.name.name.clone(), report.case.is_some())).collect();
    reports.sort();
    let names = [("0".to_owned(), true), ("2".to_owned(), true), ("test-1".to_owned(), false)];
    assert_eq!(reports, names);
    let why = |event: &EventKind| match event {
        EventKind::Finished(report) => report.why.clone(),
        _ => None,
    };
    assert!(events.iter().filter_map(why).all(|why| why == "cannot run the test: no space left on device"));
}
