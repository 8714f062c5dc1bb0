//! Whole runs, in this process.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_messages::{
    Arg, CaseId, Event, EventKind, Outcome, PeerNews, PeerPart, RunEnd, RunHeader, StopReason, Summary,
    TestReport, Unrunnable,
};
use tokio::sync::mpsc;

use super::fake::{Fake, case, name};
use super::{RunError, RunEvent, RunOptions, StopRequest, StopSource, run};
use crate::kit::DeathWatch;
use crate::run::aggregator::Reporter;

fn options() -> RunOptions {
    RunOptions {
        root: "/".into(),
        jobs: 2,
        builtin: Vec::new(),
        env: vec![("PATH".into(), env::var_os("PATH").unwrap())],
        output_cap: RunOptions::OUTPUT_CAP,
        memory: false,
        max_heavy: 1,
        exit_after_failures: None,
        keep_passing_output: true,
        confirm_failures: Default::default(),
        reruns: Default::default(),
        flaky_fails: false,
        total_timeout: None,
        unsorted: false,
        explain: false,
        history: None,
        reaper: None,
        peers: None,
        unusable_peers: Vec::new(),
        header: RunHeader::default(),
    }
}

type Seen = Rc<RefCell<Vec<EventKind>>>;

/// Keeps all incoming, and does something at each.
struct Watcher {
    seen: Seen,
    at: Box<dyn FnMut(&EventKind)>,
}

impl Reporter for Watcher {
    fn event(&mut self, event: &Event) {
        (self.at)(&event.kind);
        self.seen.borrow_mut().push(event.kind.clone());
    }
}

fn run_fake(
    options: RunOptions,
    fake: Fake,
    at: impl FnMut(&EventKind) + 'static,
    stop: mpsc::UnboundedReceiver<StopRequest>,
) -> (Result<Summary, RunError>, Vec<EventKind>) {
    let seen = Seen::default();
    let watcher = Watcher { seen: Rc::clone(&seen), at: Box::new(at) };
    let result = run(options, Arc::new(fake), vec![Box::new(watcher)], StopSource::Channel(stop));
    let incoming = seen.borrow().clone();
    (result, incoming)
}

fn run_quietly(options: RunOptions, fake: Fake) -> (Summary, Vec<EventKind>) {
    let (_stopping, stop) = mpsc::unbounded_channel();
    let (result, incoming) = run_fake(options, fake, |_| {}, stop);
    (result.unwrap(), incoming)
}

fn reports(incoming: &[EventKind]) -> Vec<&TestReport> {
    let finished = incoming.iter().filter_map(|event| match event {
        EventKind::Finished(report) => Some(&**report),
        _ => None,
    });
    finished.collect()
}

#[test]
fn every_test_is_started_and_finished_once_and_the_summary_comes_last() {
    let (summary, incoming) = run_quietly(options(), Fake::scripts(50, "exit $(($0 % 2))"));
    assert_eq!((summary.counts.expected, summary.counts.unexpected, summary.not_run), (25, 25, 0));
    assert_eq!(summary.exit_code(), 1);
    assert_eq!(incoming.last(), Some(&EventKind::RunFinished(Box::new(RunEnd::of(summary)))));
    assert!(incoming.contains(&EventKind::Listed { tests: 50, complete: true }));
    for test in (0..50).map(CaseId) {
        let started = incoming
            .iter()
            .position(|event| matches!(event, EventKind::Started { test: id, .. } if *id == test));
        let of = |event: &EventKind| matches!(event, EventKind::Finished(report) if report.test == test);
        let finished: Vec<_> = incoming.iter().enumerate().filter(|(_, event)| of(event)).collect();
        assert_eq!(finished.len(), 1);
        assert!(started.unwrap() < finished[0].0);
    }
}

#[test]
fn an_empty_run_ends_at_once() {
    let (summary, incoming) = run_quietly(options(), Fake::scripts(0, ""));
    assert_eq!(summary.exit_code(), 2);
    assert_eq!(incoming.len(), 3, "{incoming:?}");
}

#[test]
fn the_header_comes_first_and_then_what_is_known_of_unusable_peers() {
    let header = RunHeader { unused_rules: vec!["a rule".into()], ..RunHeader::default() };
    let unusable = vec![("bob".to_owned(), "it is gone".to_owned())];
    let options = RunOptions { header: header.clone(), unusable_peers: unusable, ..options() };
    let (_, incoming) = run_quietly(options, Fake::scripts(1, ""));
    let out = PeerPart::Out { reason: "it is gone".into() };
    let peer = EventKind::Peer(PeerNews { peer: "bob".into(), part: out });
    assert_eq!(incoming[..2], [EventKind::RunStarted(Box::new(header)), peer]);
    let Some(EventKind::RunFinished(end)) = incoming.last() else { panic!("{incoming:?}") };
    assert_eq!(end.peers["bob"].out.as_deref(), Some("it is gone"));
}

#[test]
fn what_cannot_be_run_or_breaks_is_one_tests_failure() {
    let make = |id: CaseId| match id.0 {
        0 => {
            let reason = "cannot read a.js: gone".into();
            Err(Box::new(Unrunnable { name: name(id), id: "fake/0".into(), reason }))
        }
        1 => panic!("no such suite"),
        2 => {
            let mut case = case(id, &["/bin/true"]);
            case.expected_file = Some(Arg::Path("no/such/file.out".into()));
            case.expectation.outcomes = vec![Outcome::Fail];
            Ok(case)
        }
        3 => Ok(case(id, &["/no/such/program"])),
        _ => Ok(case(id, &["/bin/true"])),
    };
    let (summary, incoming) = run_quietly(options(), Fake { count: 10, make: Box::new(make) });
    assert_eq!((summary.counts.expected, summary.counts.unexpected), (6, 4));
    let why = |test| {
        let report = reports(&incoming).into_iter().find(|report| report.test == CaseId(test)).unwrap();
        assert!(!report.as_expected && report.outcome == Outcome::Fail);
        report.why.clone().unwrap()
    };
    assert_eq!(why(0), "cannot run the test: cannot read a.js: gone");
    assert_eq!(why(1), "internal error: no such suite");
    assert_eq!(
        why(2),
        "cannot read the expected output /no/such/file.out: No such file or directory (os error 2)"
    );
    assert_eq!(why(3), "cannot start /no/such/program: No such file or directory (os error 2)");
}

#[test]
fn a_request_to_stop_ends_what_runs_and_says_what_did_not() {
    let (stopping, stop) = mpsc::unbounded_channel();
    let at = move |event: &EventKind| {
        if matches!(event, EventKind::Started { .. }) {
            stopping.send(StopRequest::Terminate).unwrap();
        }
    };
    let begun = Instant::now();
    // The first request gives the shell a second; each further test's start would be another request.
    let mut options = options();
    options.jobs = 1;
    let (result, incoming) = run_fake(options, Fake::scripts(5, "exec sleep 60"), at, stop);
    let summary = result.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!((summary.counts.finished(), summary.not_run), (0, 5));
    assert_eq!(summary.exit_code(), 4);
    assert!(incoming.contains(&EventKind::Stopping(StopReason::Terminated)));
}

#[test]
fn a_second_request_kills_what_does_not_want_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let begun_file = dir.path().join("begun");
    let script = format!("trap '' TERM; : > {}; while :; do sleep 0.01; done", begun_file.display());
    let make = move |id| Ok(case(id, &["/bin/sh", "-c", &script]));
    let (stopping, stop) = mpsc::unbounded_channel();
    let at = move |event: &EventKind| {
        if matches!(event, EventKind::Started { .. }) {
            let (stopping, begun_file) = (stopping.clone(), begun_file.clone());
            std::thread::spawn(move || {
                while !begun_file.exists() {
                    std::thread::yield_now();
                }
                stopping.send(StopRequest::Interrupt).ok();
                stopping.send(StopRequest::Interrupt).ok();
            });
        }
    };
    let mut options = options();
    options.jobs = 1;
    let (result, _) = run_fake(options, Fake { count: 1, make: Box::new(make) }, at, stop);
    let summary = result.unwrap();
    assert_eq!(summary.exit_code(), 3);
    assert_eq!(summary.not_run, 1);
}

#[test]
fn enough_failures_stop_the_run() {
    let options = RunOptions { exit_after_failures: NonZeroU64::new(3), ..options() };
    let (summary, incoming) = run_quietly(options, Fake::scripts(500, "exit 1"));
    assert!(summary.counts.unexpected >= 3 && summary.not_run > 0);
    assert_eq!(summary.counts.finished() + summary.not_run, 500);
    assert_eq!(summary.stopped, Some(StopReason::TooManyFailures));
    assert_eq!(incoming.iter().filter(|event| matches!(event, EventKind::Stopping(_))).count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn grandchildren_that_left_their_session_do_not_outlive_the_run() {
    // In the first test they have children of their own; in the others they are alone.
    let script = "setsid sh -c 'sleep 600; :' & echo $!; setsid sleep 600 & echo $!; [ $0 = 0 ] && setsid setsid sleep 600";
    let script: &'static str = Box::leak(format!("({script}) & wait; exit 0").into_boxed_str());
    let make = move |id: CaseId| {
        let mut case = case(id, &["/bin/sh", "-c", script, &id.0.to_string()]);
        case.timeout = Duration::from_millis(500);
        case.expectation.outcomes = vec![Outcome::Pass, Outcome::Timeout];
        case.env = [("ORPHANS_OF".to_owned(), std::process::id().to_string())].into();
        Ok(case)
    };
    let (summary, incoming) = run_quietly(options(), Fake { count: 4, make: Box::new(make) });
    assert_eq!(summary.counts.expected, 4);
    let printed = |report: &&TestReport| report.output.as_ref().unwrap().stdout.text().lines().count();
    assert_eq!(reports(&incoming).iter().map(printed).sum::<usize>(), 8);
    let needle = format!("ORPHANS_OF={}", std::process::id());
    let left = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let environ = fs::read(entry.unwrap().path().join("environ")).unwrap_or_default();
        let found = environ.split(|&byte| byte == 0).any(|item| item == needle.as_bytes());
        found.then_some(())
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_run_whose_listing_breaks_is_an_error() {
    struct Broken;
    impl flotilla_messages::Cases for Broken {
        fn entries(&self) -> Box<dyn Iterator<Item = flotilla_messages::Entry> + Send + '_> {
            panic!("no such directory")
        }
        fn case(&self, id: CaseId) -> Result<flotilla_messages::TestCase, Box<Unrunnable>> {
            Ok(case(id, &["/bin/true"]))
        }
    }
    let (_stopping, stop) = mpsc::unbounded_channel();
    let error = run(options(), Arc::new(Broken), Vec::new(), StopSource::Channel(stop)).unwrap_err();
    assert_eq!(error.to_string(), "the run broke off: listing tests failed: no such directory");
}

#[test]
fn the_death_of_an_actor_is_noticed() {
    let (run, mut incoming) = mpsc::unbounded_channel();
    drop(DeathWatch::new("scheduler", run));
    assert!(matches!(incoming.try_recv(), Ok(RunEvent::Died("scheduler"))));
}

#[test]
fn reporters_get_ticks_only_if_they_want_them() {
    #[derive(Default)]
    struct Ticker(Rc<RefCell<u32>>);
    impl Reporter for Ticker {
        fn event(&mut self, _: &Event) {}
        fn wants_ticks(&self) -> bool {
            true
        }
        fn tick(&mut self, _: &flotilla_messages::RunStatus) {
            *self.0.borrow_mut() += 1;
        }
    }
    let ticks = Rc::default();
    let (_stopping, stop) = mpsc::unbounded_channel();
    let reporters: Vec<Box<dyn Reporter>> = vec![Box::new(Ticker(Rc::clone(&ticks)))];
    let fake = Arc::new(Fake::scripts(1, "sleep 0.5"));
    run(options(), fake, reporters, StopSource::Channel(stop)).unwrap();
    assert!(*ticks.borrow() >= 1);
}
