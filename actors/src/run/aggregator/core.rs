//! From attempts to counts and events.

use std::time::Instant;

use flotilla_messages::{Captured, CaseId, Event, EventKind, RunStatus, StopReason, Summary, TestReport};

use super::message::{AggregatorMsg, Attempt};
use super::progress::{Moment, Progress};
use crate::execution::executor::LeaseResult;

/// What a run wants of its verdicts.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerdictPolicy {
    /// Keep the texts that tests printed which ended as expected.
    pub keep_passing_output: bool,
    /// A flaky test makes the run fail.
    pub flaky_fails: bool,
}

/// The aggregator without its actor.
pub struct Core {
    policy: VerdictPolicy,
    last_verdict: Instant,
    progress: Progress,
    stopped: Option<StopReason>,
    done: bool,
}

impl Core {
    /// For a run that began at `begun`.
    pub fn new(policy: VerdictPolicy, begun: Instant) -> Self {
        Self { policy, last_verdict: begun, progress: Progress::new(begun), stopped: None, done: false }
    }

    /// Takes one message in; the events that follow from it are appended to `events`, in order. The last one of a run is
    /// [`EventKind::RunFinished`].
    pub fn handle(&mut self, now: Moment, message: AggregatorMsg, events: &mut Vec<Event>) {
        if self.done {
            return;
        }
        match message {
            AggregatorMsg::Event(kind) => {
                if let EventKind::Stopping(reason) = &kind {
                    self.stopped = Some(*reason);
                }
                events.push(self.progress.event(now, kind));
            }
            AggregatorMsg::Again { test, tried } => {
                if let Some(report) = report(test, tried) {
                    events.push(self.progress.event(now, EventKind::Again(Box::new(report))));
                }
            }
            AggregatorMsg::Verdict { test, tried, earlier, differs_on } => {
                if let Some(mut report) = report(test, tried) {
                    report.earlier =
                        earlier.into_iter().filter_map(|tried| self::report(test, tried)).collect();
                    report.differs_on = differs_on;
                    self.verdict(now, report, events);
                }
            }
            AggregatorMsg::Over { not_run, all_found } => {
                self.done = true;
                let end = self.progress.end(Summary {
                    counts: self.progress.stats().counts,
                    not_run,
                    listing_complete: all_found,
                    stopped: self.stopped,
                    elapsed: self.progress.elapsed(self.last_verdict),
                    flaky_fails: self.policy.flaky_fails,
                });
                events.push(self.progress.event(now, EventKind::RunFinished(Box::new(end))));
            }
        }
    }

    /// The run at this moment.
    pub fn status(&self, now: Moment) -> RunStatus {
        self.progress.status(now)
    }

    fn verdict(&mut self, now: Moment, mut report: TestReport, events: &mut Vec<Event>) {
        self.last_verdict = now.instant;
        if report.as_expected
            && !report.flaky()
            && !self.policy.keep_passing_output
            && let Some(output) = &mut report.output
        {
            output.stdout = Captured::default();
            output.stderr = Captured::default();
        }
        if let Some(peer) = &report.differs_on {
            let text = format!("{} differs on {peer}: it failed there and is as expected here", report.name);
            events.push(self.progress.event(now, EventKind::Notice(text)));
        }
        events.push(self.progress.event(now, EventKind::Finished(Box::new(report))));
    }
}

/// What is to be said of a test that ended so; nothing if that is no verdict.
fn report(test: CaseId, Attempt { ending, place, attempt, times }: Attempt) -> Option<TestReport> {
    let (differs_on, earlier) = (None, Vec::new());
    let as_expected = ending.as_expected()?;
    match ending {
        LeaseResult::Judged(judged) => Some(TestReport {
            test,
            name: judged.case.name.clone(),
            id: judged.case.id.clone(),
            outcome: judged.run.judgement.outcome,
            as_expected,
            why: judged.run.judgement.why,
            difference: judged.run.difference,
            case: Some(judged.case),
            output: Some(judged.run.output),
            place,
            attempt,
            times,
            differs_on,
            earlier,
        }),
        LeaseResult::Failed(failed) => Some(TestReport {
            test,
            name: failed.name,
            id: failed.id,
            outcome: failed.outcome,
            as_expected,
            why: Some(failed.reason),
            difference: None,
            case: failed.case,
            output: None,
            place,
            attempt,
            times,
            differs_on,
            earlier,
        }),
        LeaseResult::Withdrawn | LeaseResult::Unable { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_messages::{Counts, Exit, Expectation, Judgement, Memory, Outcome, Output, Place, Times};

    use super::*;
    use crate::execution::executor::{Failed, Judged};
    use crate::run::fake;

    fn judged(outcome: Outcome, expected: Outcome) -> LeaseResult {
        let mut case = fake::case(CaseId(1), &["true"]);
        case.expectation = Expectation { outcomes: vec![expected], reason: None, doubt: None };
        let output = Output {
            exit: Exit::Code(0),
            timed_out: false,
            stdout: Captured::whole("text"),
            stderr: Captured::default(),
            duration: Duration::ZERO,
            memory: Memory::default(),
            started: None,
        };
        LeaseResult::Judged(Box::new(Judged::of(case, output, Judgement { outcome, why: None })))
    }

    fn tell(core: &mut Core, message: AggregatorMsg) -> Vec<Event> {
        let mut events = Vec::new();
        core.handle(Moment::now(), message, &mut events);
        events
    }

    fn verdict(core: &mut Core, test: u64, ending: LeaseResult) -> Vec<Event> {
        let (test, earlier) = (CaseId(test), Vec::new());
        tell(core, AggregatorMsg::Verdict { test, tried: tried(1, ending), earlier, differs_on: None })
    }

    fn tried(attempt: u32, ending: LeaseResult) -> Attempt {
        Attempt { ending, place: Place::Local, attempt, times: Times::default() }
    }

    fn report(effects: &[Event]) -> &TestReport {
        match effects.first() {
            Some(Event { kind: EventKind::Finished(report), .. }) => report,
            other => panic!("no report: {other:?}"),
        }
    }

    fn summary(core: &mut Core) -> Summary {
        match tell(core, AggregatorMsg::Over { not_run: 0, all_found: true }).pop() {
            Some(Event { kind: EventKind::RunFinished(end), .. }) => end.summary,
            other => panic!("no summary: {other:?}"),
        }
    }

    #[test]
    fn nothing_follows_the_end() {
        let mut core = Core::new(VerdictPolicy::default(), Instant::now());
        assert_eq!(verdict(&mut core, 1, judged(Outcome::Pass, Outcome::Pass)).len(), 1);
        assert_eq!(summary(&mut core).counts, Counts { expected: 1, ..Counts::default() });
        assert_eq!(verdict(&mut core, 2, judged(Outcome::Pass, Outcome::Pass)), []);
    }

    #[test]
    fn a_test_that_could_not_run_is_never_as_expected() {
        let mut core = Core::new(VerdictPolicy::default(), Instant::now());
        let mut case = fake::case(CaseId(1), &["true"]);
        case.expectation = Expectation { outcomes: vec![Outcome::Fail], reason: None, doubt: None };
        let failed = LeaseResult::Failed(Box::new(Failed::of(case, "no file".into())));
        let effects = verdict(&mut core, 1, failed);
        assert!(!report(&effects).as_expected);
        assert_eq!(report(&effects).why.as_deref(), Some("no file"));
        assert_eq!(summary(&mut core).counts.unexpected, 1);
    }

    #[test]
    fn expected_outcomes_lose_their_text_and_unexpected_ones_keep_it() {
        let mut core = Core::new(VerdictPolicy::default(), Instant::now());
        let text = |effects: &[Event]| report(effects).output.as_ref().unwrap().stdout.bytes.len();
        assert_eq!(text(&verdict(&mut core, 1, judged(Outcome::Fail, Outcome::Fail))), 0);
        assert_eq!(text(&verdict(&mut core, 2, judged(Outcome::Pass, Outcome::Fail))), 4);
        let keep = VerdictPolicy { keep_passing_output: true, ..VerdictPolicy::default() };
        let mut core = Core::new(keep, Instant::now());
        assert_eq!(text(&verdict(&mut core, 1, judged(Outcome::Pass, Outcome::Pass))), 4);
    }

    #[test]
    fn a_peer_that_differs_is_named_before_the_result() {
        let mut core = Core::new(VerdictPolicy::default(), Instant::now());
        let tried = tried(2, judged(Outcome::Pass, Outcome::Pass));
        let (test, differs_on) = (CaseId(1), Some("bob".into()));
        let effects =
            tell(&mut core, AggregatorMsg::Verdict { test, tried, earlier: Vec::new(), differs_on });
        let notice = "fake/1 (default) differs on bob: it failed there and is as expected here";
        assert_eq!(effects.first().map(|event| &event.kind), Some(&EventKind::Notice(notice.into())));
        assert!(matches!(effects.last().map(|event| &event.kind), Some(EventKind::Finished(report))
            if report.as_expected && report.differs_on.as_deref() == Some("bob")));
    }

    #[test]
    fn a_test_that_passes_when_run_again_is_flaky_and_keeps_all_it_printed() {
        let fail = |attempt| tried(attempt, judged(Outcome::Fail, Outcome::Pass));
        for (flaky_fails, code) in [(false, 0), (true, 1)] {
            let mut core =
                Core::new(VerdictPolicy { flaky_fails, ..VerdictPolicy::default() }, Instant::now());
            let test = CaseId(1);
            let effects = tell(&mut core, AggregatorMsg::Again { test, tried: fail(1) });
            assert!(
                matches!(&effects[..], [Event { kind: EventKind::Again(report), .. }] if !report.as_expected)
            );
            let (good, earlier) = (tried(3, judged(Outcome::Pass, Outcome::Pass)), vec![fail(1), fail(2)]);
            let effects =
                tell(&mut core, AggregatorMsg::Verdict { test, tried: good, earlier, differs_on: None });
            let attempts: Vec<_> = report(&effects).attempts().map(|one| one.attempt).collect();
            assert!(report(&effects).flaky() && attempts == [1, 2, 3]);
            assert!(report(&effects).attempts().all(|one| one.output.as_ref().unwrap().stdout.total == 4));
            assert!(
                report(&effects).attempts().all(|one| !one.output.as_ref().unwrap().stdout.bytes.is_empty())
            );
            let summary = summary(&mut core);
            assert_eq!(summary.counts, Counts { expected: 1, flaky: 1, ..Counts::default() });
            assert_eq!(summary.exit_code(), code);
        }
    }

    #[test]
    fn a_machine_that_was_unable_gives_no_verdict() {
        let mut core = Core::new(VerdictPolicy::default(), Instant::now());
        assert_eq!(verdict(&mut core, 1, LeaseResult::Unable { reason: "disk full".into() }), []);
        assert_eq!(summary(&mut core).counts, Counts::default());
    }

    #[test]
    fn the_summary_of_a_run_that_stops_has_the_reason_and_what_ended_after_it() {
        let mut core = Core::new(VerdictPolicy::default(), Instant::now());
        verdict(&mut core, 1, judged(Outcome::Timeout, Outcome::Pass));
        verdict(&mut core, 2, judged(Outcome::Crash, Outcome::Pass));
        let stopping = EventKind::Stopping(StopReason::TooManyFailures);
        let events = tell(&mut core, AggregatorMsg::Event(stopping.clone()));
        assert_eq!(events.into_iter().map(|event| event.kind).collect::<Vec<_>>(), [stopping]);
        assert_eq!(verdict(&mut core, 3, judged(Outcome::Fail, Outcome::Pass)).len(), 1);
        let summary = summary(&mut core);
        assert_eq!(summary.counts, Counts { unexpected: 3, crashed: 1, timed_out: 1, ..Counts::default() });
        assert_eq!(summary.stopped, Some(StopReason::TooManyFailures));
        assert_eq!(summary.exit_code(), 1);
    }
}
