//! The events of a run that has every kind of thing, with times that never change: what the snapshots show.

use std::time::{Duration, Instant, SystemTime};

use flotilla_actors::Reporter;
use flotilla_actors::run::aggregator::{Moment, Progress};
use flotilla_messages::{
    Arg, BuildHeader, Captured, CaseId, EventKind, Exit, Forecast, Memory, Outcome, Output, PeerNews,
    PeerPart, Place, Placement, Program, Rounds, RunHeader, StopReason, Summary, TestCase, TestName,
    TestReport, Times, Why,
};

/// The run's start: 2023-11-14 22:13:20 UTC.
const START: Duration = Duration::from_secs(1_700_000_000);

/// Plays a whole run to a reporter.
pub fn play(reporter: &mut dyn Reporter, stop: StopReason) {
    let begun = Instant::now();
    let mut progress = Progress::new(begun);
    for (millis, step) in steps(stop) {
        let since = Duration::from_millis(millis);
        let now = Moment { instant: begun + since, at: SystemTime::UNIX_EPOCH + START + since };
        match step {
            Step::Event(EventKind::RunFinished(end)) => {
                let summary = Summary { counts: progress.stats().counts, ..end.summary };
                let kind = EventKind::RunFinished(Box::new(progress.end(summary)));
                reporter.event(&progress.event(now, kind));
            }
            Step::Event(kind) => reporter.event(&progress.event(now, kind)),
            Step::Tick if reporter.wants_ticks() => reporter.tick(&progress.status(now)),
            Step::Tick => {}
        }
    }
}

/// What comes at a moment.
enum Step {
    Event(EventKind),
    Tick,
}

/// The run, with the milliseconds since its start.
fn steps(stop: StopReason) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    let mut at = |millis: u64, kind: EventKind| steps.push((millis, Step::Event(kind)));
    at(0, EventKind::RunStarted(Box::new(header())));
    at(0, peer("dora", PeerPart::Out { reason: "it does not trust this machine".into() }));
    at(5, EventKind::Listed { tests: 8, complete: false });
    for peer_name in ["anna", "bob", "carl"] {
        at(10, peer(peer_name, PeerPart::Asked));
    }
    at(20, started(1, "passes"));
    at(60, finished(report(1, "passes", Outcome::Pass, 40)));
    at(80, started(2, "fails"));
    at(100, EventKind::Listed { tests: 14, complete: true });
    at(200, finished(failing()));
    at(210, started(3, "crashes"));
    at(300, finished(crashing()));
    at(310, started(4, "hangs"));
    at(1000, EventKind::Sending { peer: "bob".into(), sent: 1_900_000, total: 4_000_000 });
    at(2000, EventKind::Sending { peer: "bob".into(), sent: 4_000_000, total: 4_000_000 });
    at(2000, peer("bob", PeerPart::Joined { sent: 4_000_000 }));
    at(2010, EventKind::Placed(Box::new(placement())));
    at(2500, started(5, "is-slow"));
    at(2500, started(6, "is-flaky"));
    at(2600, EventKind::Again(Box::new(flaky_attempt())));
    steps.push((9_000, Step::Tick));
    let mut at = |millis: u64, kind: EventKind| steps.push((millis, Step::Event(kind)));
    at(10_310, finished(hanging()));
    at(10_400, finished(unrunnable()));
    at(10_500, finished(unexpected_pass()));
    at(10_600, finished(expected_failure()));
    at(11_000, finished(remote(10, "passes-there", Outcome::Pass)));
    at(11_100, finished(doubtful_on_a_peer()));
    at(11_200, EventKind::Notice("mjsunit/differs (default) differs on bob: it failed there".into()));
    at(11_200, finished(differing()));
    at(11_300, peer("bob", PeerPart::Out { reason: "its link is cut".into() }));
    at(11_400, peer("carl", PeerPart::Out { reason: "it is full.".into() }));
    at(11_500, started(6, "is-flaky"));
    at(11_600, finished(flaky()));
    steps.push((12_000, Step::Tick));
    steps.push((75_000, Step::Tick));
    let mut at = |millis: u64, kind: EventKind| steps.push((millis, Step::Event(kind)));
    at(80_000, EventKind::Stopping(stop));
    at(80_500, EventKind::RunFinished(Box::new(flotilla_messages::RunEnd::of(summary(stop)))));
    steps
}

fn header() -> RunHeader {
    RunHeader {
        builds: vec![BuildHeader {
            build_dir: Some("out/build".into()),
            detected: vec!["asan".into(), "is_debug".into()],
            arch: "x64".into(),
            mode: "debug".into(),
            engine: "out/build/d8".into(),
            variants: vec!["default".into(), "stress".into()],
            rules: Some("V8 13.8".into()),
        }],
        rounds: Some(Rounds { count: Some(3), seeds: true }),
        forecast: Some(Forecast {
            total: 20,
            skipped: 6,
            unrunnable: 1,
            pass: 11,
            fail: 1,
            may_crash: 0,
            either: 1,
        }),
        unused_rules: vec!["test/mjsunit/mjsunit.status: 'gone': [SKIP]".into()],
    }
}

/// Without counts: the events' own are put in.
fn summary(stop: StopReason) -> Summary {
    Summary {
        counts: Default::default(),
        not_run: 3,
        listing_complete: true,
        stopped: Some(stop),
        elapsed: Duration::from_millis(11_600),
        flaky_fails: false,
    }
}

fn peer(name: &str, part: PeerPart) -> EventKind {
    EventKind::Peer(PeerNews { peer: name.into(), part })
}

fn placement() -> Placement {
    let why = Why::Next { expected: Some(Duration::from_millis(1500)) };
    Placement { test: CaseId(10), place: Place::Peer("bob".into()), attempt: 1, why }
}

fn started(test: u64, name: &str) -> EventKind {
    EventKind::Started { test: CaseId(test), name: test_name(name) }
}

fn finished(report: TestReport) -> EventKind {
    EventKind::Finished(Box::new(report))
}

fn test_name(name: &str) -> TestName {
    TestName { suite: "mjsunit".into(), name: name.into(), variant: "default".into(), detail: None }
}

/// The case of a test of this name.
pub fn case(name: &str) -> TestCase {
    TestCase {
        name: test_name(name),
        id: format!("mjsunit/{name} default"),
        program: Program::Shell(Arg::Path("out/build/d8".into())),
        args: vec![Arg::Text("--test".into()), Arg::Path(format!("test/mjsunit/{name}.js"))],
        env: [("TZ".to_owned(), "UTC".to_owned())].into(),
        timeout: Duration::from_secs(10),
        random_seed: Some(7),
        ..TestCase::for_tests(name)
    }
}

/// A test that ran here for this many milliseconds with this outcome; it was expected to pass.
fn report(test: u64, name: &str, outcome: Outcome, millis: u64) -> TestReport {
    let case = case(name);
    let exit = match outcome {
        Outcome::Pass => Exit::Code(0),
        Outcome::Fail => Exit::Code(1),
        Outcome::Crash => Exit::Signal(11),
        Outcome::Timeout => Exit::Signal(9),
    };
    let output = Output {
        exit,
        timed_out: outcome == Outcome::Timeout,
        stdout: Captured::default(),
        stderr: Captured::default(),
        duration: Duration::from_millis(millis),
        memory: Memory { max_rss: 40 << 20, max_vms: 1 << 30 },
        started: Some(SystemTime::UNIX_EPOCH + START),
    };
    TestReport {
        test: CaseId(test),
        name: case.name.clone(),
        id: case.id.clone(),
        outcome,
        as_expected: outcome == Outcome::Pass,
        why: None,
        difference: None,
        case: Some(case),
        output: Some(output),
        place: Place::Local,
        attempt: 1,
        times: Times { queued: Duration::from_millis(2), transfer: Duration::ZERO },
        differs_on: None,
        earlier: Vec::new(),
    }
}

fn printed(mut report: TestReport, stdout: &str, stderr: &str) -> TestReport {
    if let Some(output) = &mut report.output {
        (output.stdout, output.stderr) = (Captured::whole(stdout), Captured::whole(stderr));
    }
    report
}

fn failing() -> TestReport {
    let difference = "difference\n--- expected\n+++ actual\n@@ -1,2 +1,2 @@\n-one\n-two\n+1\n+2\n";
    let report = printed(report(2, "fails", Outcome::Fail, 120), "1\n2\n", "a warning <&>\n");
    let why = Some("line 1 of the output is not as in fails.out".into());
    TestReport { why, difference: Some(difference.into()), ..report }
}

fn crashing() -> TestReport {
    let mut report = printed(report(3, "crashes", Outcome::Crash, 90), "", "# Fatal error\n");
    if let Some(output) = &mut report.output {
        output.stderr.total += 4000;
    }
    TestReport { why: Some("ended by signal 11".into()), ..report }
}

fn hanging() -> TestReport {
    report(4, "hangs", Outcome::Timeout, 10_000)
}

fn flaky_attempt() -> TestReport {
    printed(report(6, "is-flaky", Outcome::Fail, 100), "not today\n", "")
}

fn flaky() -> TestReport {
    let earlier = vec![flaky_attempt()];
    TestReport { attempt: 2, earlier, ..report(6, "is-flaky", Outcome::Pass, 80) }
}

fn unrunnable() -> TestReport {
    let why = Some("cannot read test/mjsunit/lost.js: no such file".into());
    TestReport {
        why,
        case: None,
        output: None,
        times: Times::default(),
        ..report(7, "lost", Outcome::Fail, 0)
    }
}

fn expecting_failure(mut report: TestReport, as_expected: bool) -> TestReport {
    if let Some(case) = &mut report.case {
        case.expectation.outcomes = vec![Outcome::Fail];
        case.expectation.reason = Some("test/mjsunit/mjsunit.status:12: 'fixed': [FAIL]".into());
    }
    TestReport { as_expected, ..report }
}

fn unexpected_pass() -> TestReport {
    expecting_failure(report(8, "fixed", Outcome::Pass, 30), false)
}

fn expected_failure() -> TestReport {
    expecting_failure(report(9, "known-to-fail", Outcome::Fail, 30), true)
}

fn remote(test: u64, name: &str, outcome: Outcome) -> TestReport {
    let times = Times { queued: Duration::from_millis(20), transfer: Duration::from_millis(30) };
    let mut report = report(test, name, outcome, 400);
    if let Some(output) = &mut report.output {
        output.started = None;
    }
    TestReport { place: Place::Peer("bob".into()), times, ..report }
}

fn doubtful_on_a_peer() -> TestReport {
    let mut report = remote(11, "fails-there", Outcome::Fail);
    if let Some(case) = &mut report.case {
        case.expectation.doubt = Some("test/mjsunit/mjsunit.status:40: 'new_flag' is not known".into());
    }
    report
}

fn differing() -> TestReport {
    TestReport { attempt: 2, differs_on: Some("bob".into()), ..report(12, "differs", Outcome::Pass, 50) }
}
