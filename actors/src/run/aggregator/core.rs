//! From endings to verdicts, counts and events.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::time::Instant;

use actix::Message;
use flotilla_messages::{
    Captured, CaseId, Event, EventKind, PeerNews, Placement, RunHeader, RunStatus, StopReason, Summary,
    TestName, TestReport,
};

use super::progress::{Moment, Progress};
use crate::execution::executor::LeaseResult;
use crate::run::scheduler::Attempt;

/// What a run wants of its verdicts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// Stop after this many unexpected outcomes, and flaky tests if these make the run fail.
    pub exit_after_failures: Option<NonZeroU64>,
    /// Keep the texts that tests printed which ended as expected.
    pub keep_passing_output: bool,
    /// A flaky test makes the run fail.
    pub flaky_fails: bool,
}

/// What the aggregator is told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Tell {
    /// The run begins. Before anything else.
    RunStarted(Box<RunHeader>),
    /// This many tests are known.
    Known {
        /// How many.
        tests: u64,
        /// Whether there are no more.
        complete: bool,
    },
    /// A test's process is about to be started.
    Started {
        /// Which test.
        test: CaseId,
        /// Its names.
        name: TestName,
    },
    /// An attempt at a test was unexpected, and it will be run again.
    Again {
        /// Which.
        test: CaseId,
        /// The attempt.
        tried: Attempt,
    },
    /// A test has ended.
    Verdict {
        /// Which.
        test: CaseId,
        /// The attempt that counts.
        tried: Attempt,
        /// Those before it that were unexpected, if it was run again.
        earlier: Vec<Attempt>,
        /// The peer where it had ended otherwise, if this is the second opinion.
        differs_on: Option<String>,
    },
    /// The run ends early.
    Stopping(StopReason),
    /// Something a person should know.
    Notice(String),
    /// A test was given to an executor.
    Placed(Box<Placement>),
    /// A peer takes part, or does not.
    Peer(PeerNews),
    /// Inputs are on their way to a peer.
    Sending {
        /// By the name people know it by.
        peer: String,
        /// Bytes handed on.
        sent: u64,
        /// Bytes it has asked for.
        total: u64,
    },
    /// Nothing runs any more.
    Over {
        /// Tests without a verdict.
        not_run: u64,
        /// Whether all tests had been found.
        all_found: bool,
    },
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// For the reporters.
    Event(Box<Event>),
    /// The scheduler is to stop.
    Stop(StopReason),
    /// The run's end.
    Done(Summary),
}

/// The aggregator without its actor.
pub struct Core {
    policy: Policy,
    last_verdict: Instant,
    /// Tests that have their verdict.
    judged: BTreeSet<CaseId>,
    progress: Progress,
    stopped: Option<StopReason>,
    done: bool,
}

impl Core {
    /// For a run that began at `begun`.
    pub fn new(policy: Policy, begun: Instant) -> Self {
        Self {
            policy,
            last_verdict: begun,
            judged: BTreeSet::new(),
            progress: Progress::new(begun),
            stopped: None,
            done: false,
        }
    }

    /// Takes one thing in; what follows from it is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, now: Moment, told: Tell, effects: &mut Vec<Effect>) {
        if self.done {
            return;
        }
        let kind = match told {
            Tell::RunStarted(header) => EventKind::RunStarted(header),
            Tell::Known { tests, complete } => EventKind::Listed { tests, complete },
            Tell::Started { test, name } => EventKind::Started { test, name },
            Tell::Again { test, tried } => {
                let of = report(test, tried).filter(|report| !self.judged.contains(&report.test));
                let Some(report) = of else { return };
                EventKind::Again(Box::new(report))
            }
            Tell::Verdict { test, tried, earlier, differs_on } => {
                if let Some(mut report) = report(test, tried) {
                    report.earlier =
                        earlier.into_iter().filter_map(|tried| self::report(test, tried)).collect();
                    report.differs_on = differs_on;
                    self.verdict(now, report, effects);
                }
                return;
            }
            Tell::Stopping(reason) => {
                if self.stopped.is_some() {
                    return;
                }
                self.stopped = Some(reason);
                EventKind::Stopping(reason)
            }
            Tell::Notice(text) => EventKind::Notice(text),
            Tell::Placed(placement) => EventKind::Placed(placement),
            Tell::Peer(news) => EventKind::Peer(news),
            Tell::Sending { peer, sent, total } => EventKind::Sending { peer, sent, total },
            Tell::Over { not_run, all_found } => return self.over(now, not_run, all_found, effects),
        };
        self.emit(now, kind, effects);
    }

    /// The run at this moment.
    pub fn status(&self, now: Moment) -> RunStatus {
        self.progress.status(now)
    }

    fn emit(&mut self, now: Moment, kind: EventKind, effects: &mut Vec<Effect>) {
        effects.push(Effect::Event(Box::new(self.progress.event(now, kind))));
    }

    fn over(&mut self, now: Moment, not_run: u64, all_found: bool, effects: &mut Vec<Effect>) {
        self.done = true;
        let summary = Summary {
            counts: self.progress.stats().counts,
            not_run,
            listing_complete: all_found,
            stopped: self.stopped,
            elapsed: self.progress.elapsed(self.last_verdict),
            flaky_fails: self.policy.flaky_fails,
        };
        let end = self.progress.end(summary);
        self.emit(now, EventKind::RunFinished(Box::new(end)), effects);
        effects.push(Effect::Done(summary));
    }

    fn verdict(&mut self, now: Moment, mut report: TestReport, effects: &mut Vec<Effect>) {
        if !self.judged.insert(report.test) {
            log::warn!("a second result for {} is ignored", report.name);
            return;
        }
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
            self.emit(now, EventKind::Notice(text), effects);
        }
        self.emit(now, EventKind::Finished(Box::new(report)), effects);
        let counts = self.progress.stats().counts;
        let limit = self.policy.exit_after_failures.map(NonZeroU64::get);
        let flaky = if self.policy.flaky_fails { counts.flaky } else { 0 };
        if self.stopped.is_none() && limit.is_some_and(|limit| counts.unexpected + flaky >= limit) {
            effects.push(Effect::Stop(StopReason::TooManyFailures));
        }
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
            outcome: judged.judgement.outcome,
            as_expected,
            why: judged.judgement.why,
            difference: judged.difference,
            case: Some(judged.case),
            output: Some(judged.output),
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
        LeaseResult::Judged(Box::new(Judged {
            case,
            output,
            judgement: Judgement { outcome, why: None },
            difference: None,
        }))
    }

    fn tell(core: &mut Core, told: Tell) -> Vec<Effect> {
        let mut effects = Vec::new();
        core.handle(Moment::now(), told, &mut effects);
        effects
    }

    fn verdict(core: &mut Core, test: u64, ending: LeaseResult) -> Vec<Effect> {
        let (test, earlier) = (CaseId(test), Vec::new());
        tell(core, Tell::Verdict { test, tried: tried(1, ending), earlier, differs_on: None })
    }

    fn tried(attempt: u32, ending: LeaseResult) -> Attempt {
        Attempt { ending, place: Place::Local, attempt, times: Times::default() }
    }

    fn kind(effect: Option<&Effect>) -> Option<&EventKind> {
        match effect {
            Some(Effect::Event(event)) => Some(&event.kind),
            _ => None,
        }
    }

    fn report(effects: &[Effect]) -> &TestReport {
        match kind(effects.first()) {
            Some(EventKind::Finished(report)) => report,
            other => panic!("no report: {other:?}"),
        }
    }

    fn summary(core: &mut Core) -> Summary {
        match tell(core, Tell::Over { not_run: 0, all_found: true }).pop() {
            Some(Effect::Done(summary)) => summary,
            other => panic!("no summary: {other:?}"),
        }
    }

    #[test]
    fn the_second_result_of_a_test_is_ignored() {
        let mut core = Core::new(Policy::default(), Instant::now());
        assert_eq!(verdict(&mut core, 1, judged(Outcome::Pass, Outcome::Pass)).len(), 1);
        assert_eq!(verdict(&mut core, 1, judged(Outcome::Crash, Outcome::Pass)), []);
        assert_eq!(summary(&mut core).counts, Counts { expected: 1, ..Counts::default() });
        assert_eq!(verdict(&mut core, 2, judged(Outcome::Pass, Outcome::Pass)), []);
    }

    #[test]
    fn a_test_that_could_not_run_is_never_as_expected() {
        let mut core = Core::new(Policy::default(), Instant::now());
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
        let mut core = Core::new(Policy::default(), Instant::now());
        let text = |effects: &[Effect]| report(effects).output.as_ref().unwrap().stdout.bytes.len();
        assert_eq!(text(&verdict(&mut core, 1, judged(Outcome::Fail, Outcome::Fail))), 0);
        assert_eq!(text(&verdict(&mut core, 2, judged(Outcome::Pass, Outcome::Fail))), 4);
        let keep = Policy { keep_passing_output: true, ..Policy::default() };
        let mut core = Core::new(keep, Instant::now());
        assert_eq!(text(&verdict(&mut core, 1, judged(Outcome::Pass, Outcome::Pass))), 4);
    }

    #[test]
    fn a_peer_that_differs_is_named_before_the_result() {
        let mut core = Core::new(Policy::default(), Instant::now());
        let tried = tried(2, judged(Outcome::Pass, Outcome::Pass));
        let (test, differs_on) = (CaseId(1), Some("bob".into()));
        let effects = tell(&mut core, Tell::Verdict { test, tried, earlier: Vec::new(), differs_on });
        let notice = "fake/1 (default) differs on bob: it failed there and is as expected here";
        assert_eq!(kind(effects.first()), Some(&EventKind::Notice(notice.into())));
        assert!(matches!(kind(effects.last()), Some(EventKind::Finished(report))
            if report.as_expected && report.differs_on.as_deref() == Some("bob")));
    }

    #[test]
    fn a_test_that_passes_when_run_again_is_flaky_and_keeps_all_it_printed() {
        let fail = |attempt| tried(attempt, judged(Outcome::Fail, Outcome::Pass));
        for (flaky_fails, code) in [(false, 0), (true, 1)] {
            let mut core = Core::new(Policy { flaky_fails, ..Policy::default() }, Instant::now());
            let test = CaseId(1);
            let effects = tell(&mut core, Tell::Again { test, tried: fail(1) });
            assert_eq!(effects.len(), 1);
            assert!(matches!(kind(effects.first()), Some(EventKind::Again(report)) if !report.as_expected));
            let (good, earlier) = (tried(3, judged(Outcome::Pass, Outcome::Pass)), vec![fail(1), fail(2)]);
            let effects = tell(&mut core, Tell::Verdict { test, tried: good, earlier, differs_on: None });
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
    fn flaky_tests_count_towards_the_limit_where_they_are_failures() {
        for (flaky_fails, ends) in [(false, false), (true, true)] {
            let policy = Policy { exit_after_failures: NonZeroU64::new(2), flaky_fails, ..Policy::default() };
            let mut core = Core::new(policy, Instant::now());
            verdict(&mut core, 1, judged(Outcome::Fail, Outcome::Pass));
            let (good, bad) = (judged(Outcome::Pass, Outcome::Pass), judged(Outcome::Fail, Outcome::Pass));
            let earlier = vec![tried(1, bad)];
            let told = Tell::Verdict { test: CaseId(2), tried: tried(2, good), earlier, differs_on: None };
            let effects = tell(&mut core, told);
            assert_eq!(effects.contains(&Effect::Stop(StopReason::TooManyFailures)), ends);
        }
    }

    #[test]
    fn a_machine_that_was_unable_gives_no_verdict() {
        let mut core = Core::new(Policy::default(), Instant::now());
        assert_eq!(verdict(&mut core, 1, LeaseResult::Unable { reason: "disk full".into() }), []);
        assert_eq!(summary(&mut core).counts, Counts::default());
    }

    #[test]
    fn the_run_is_stopped_at_the_given_number_of_failures() {
        let policy = Policy { exit_after_failures: NonZeroU64::new(2), ..Policy::default() };
        let mut core = Core::new(policy, Instant::now());
        verdict(&mut core, 1, judged(Outcome::Timeout, Outcome::Pass));
        let effects = verdict(&mut core, 2, judged(Outcome::Crash, Outcome::Pass));
        assert_eq!(effects.last(), Some(&Effect::Stop(StopReason::TooManyFailures)));
        tell(&mut core, Tell::Stopping(StopReason::TooManyFailures));
        tell(&mut core, Tell::Stopping(StopReason::Interrupted));
        assert_eq!(verdict(&mut core, 3, judged(Outcome::Fail, Outcome::Pass)).len(), 1);
        let summary = summary(&mut core);
        assert_eq!(summary.counts, Counts { unexpected: 3, crashed: 1, timed_out: 1, ..Counts::default() });
        assert_eq!(summary.stopped, Some(StopReason::TooManyFailures));
        assert_eq!(summary.exit_code(), 1);
    }
}
