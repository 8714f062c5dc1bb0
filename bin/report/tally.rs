//! What progress displays count, and how a run's end reads.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_messages::{Event, PeerNews, PeerPart, StopReason, Summary, TestReport};

use super::console::Console;
use super::failure;

/// Counts kept along the events.
#[derive(Debug, Default)]
pub struct Tally {
    /// Tests known so far.
    pub listed: u64,
    /// Whether that is all.
    pub complete: bool,
    /// As expected.
    pub passed: u64,
    /// Unexpected.
    pub failed: u64,
    /// Unexpected, where nobody can tell what to expect.
    doubtful: u64,
    /// Tests that were flaky, a line each.
    flaky: Vec<String>,
    /// The peers of the run.
    peers: BTreeMap<String, Peer>,
    /// Whether peers were asked at all: a short run ends before.
    asked: bool,
}

/// What is known of a peer.
#[derive(Debug, Default)]
struct Peer {
    /// Tests with a verdict that ran there.
    tests: u64,
    /// It took part, after it was sent this many bytes.
    sent: Option<u64>,
    /// Why it takes no part, or no more.
    out: Option<String>,
}

impl Tally {
    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        if let Event::Finished(report) = event
            && let Some(name) = report.place.peer()
        {
            match self.peers.get_mut(name) {
                Some(peer) => peer.tests += 1,
                None => drop(self.peers.insert(name.to_owned(), Peer { tests: 1, ..Peer::default() })),
            }
        }
        if let Event::Peer(PeerNews { peer, part }) = event {
            let peer = self.peers.entry(peer.clone()).or_default();
            match part {
                PeerPart::Asked => self.asked = true,
                PeerPart::Joined { sent } => {
                    // It may have come back.
                    (peer.sent, peer.out) = (Some(peer.sent.unwrap_or_default() + *sent), None);
                }
                PeerPart::Out { reason } => peer.out = Some(reason.clone()),
            }
        }
        match event {
            Event::Listed { tests, complete } => {
                self.listed = *tests;
                self.complete = *complete;
            }
            Event::Finished(report) if report.as_expected => {
                self.passed += 1;
                if report.flaky() {
                    self.flaky.push(flaky_line(report));
                }
            }
            Event::Finished(report) => {
                self.failed += 1;
                self.doubtful += u64::from(failure::doubt(report).is_some());
            }
            _ => {}
        }
    }

    /// Tests with a verdict.
    pub fn finished(&self) -> u64 {
        self.passed + self.failed
    }

    /// The run's end: which tests were flaky, where tests ran, and how they ended.
    pub fn close(&self, console: &mut Console, summary: &Summary) {
        for line in self.flaky() {
            console.line(line);
        }
        if let Some(places) = self.places() {
            console.line(&places);
        }
        console.line(&closing(summary));
        if let Some(doubtful) = self.doubtful() {
            console.line(&doubtful);
        }
    }

    /// `2 of the unexpected outcomes are doubtful: ...`, if any are.
    pub fn doubtful(&self) -> Option<String> {
        let (outcomes, are) = match self.doubtful {
            0 => return None,
            1 => ("1 of the unexpected outcomes".to_owned(), "is"),
            many => (format!("{many} of the unexpected outcomes"), "are"),
        };
        Some(format!("{outcomes} {are} doubtful: a rule may hold that was not understood."))
    }

    /// `  mjsunit/a (default): flaky: FAIL, then PASS`, for each that was.
    pub fn flaky(&self) -> &[String] {
        &self.flaky
    }

    /// `12 tests ran on this machine, 30 on 10.0.0.7 (4.0 MB sent).`, and a line for each peer that was not used, or not
    /// to the end. Nothing if no peer was asked.
    pub fn places(&self) -> Option<String> {
        let anywhere = |peer: &Peer| peer.tests > 0 || peer.sent.is_some();
        if !self.asked && !self.peers.values().any(anywhere) {
            return None;
        }
        let here = self.finished().saturating_sub(self.peers.values().map(|peer| peer.tests).sum());
        let mut text = match here {
            1 => "1 test ran on this machine".to_owned(),
            _ => format!("{here} tests ran on this machine"),
        };
        for (name, peer) in self.peers.iter().filter(|(_, peer)| anywhere(peer)) {
            let sent = match peer.sent {
                Some(0) => " (nothing sent)".to_owned(),
                Some(sent) => format!(" ({} sent)", bytes(sent)),
                None => String::new(),
            };
            text.push_str(&format!(", {} on {name}{sent}", peer.tests));
        }
        text.push('.');
        for (name, peer) in &self.peers {
            let line = match (anywhere(peer), &peer.out) {
                (false, Some(reason)) => format!("\n{name} was not used: {reason}."),
                (false, None) => format!("\n{name} was not used: the run was over before it was ready."),
                (true, Some(reason)) => format!("\n{name} was not used to the end: {reason}."),
                (true, None) => continue,
            };
            text.push_str(line.trim_end_matches('.'));
            text.push('.');
        }
        Some(text)
    }

    /// Share of the known tests that have a verdict, in percent.
    pub fn percent(&self) -> u64 {
        (self.finished() * 100).checked_div(self.listed.max(self.finished())).unwrap_or(0)
    }
}

/// Why the run stops early, as a sentence.
pub fn stopping(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Interrupted => "Interrupted: ending the running tests (once more to kill them at once).",
        StopReason::Terminated => "Terminated: ending the running tests.",
        StopReason::TotalTimeout => "Total timeout reached (--total-timeout-sec): ending the running tests.",
        StopReason::TooManyFailures => "Too many failures, exiting (--exit-after-n-failures).",
    }
}

/// The run's end in a few lines.
pub fn closing(summary: &Summary) -> String {
    let counts = summary.counts;
    let elapsed = seconds(summary.elapsed);
    let ran = match counts.finished() {
        1 => "1 test".to_owned(),
        n => format!("{n} tests"),
    };
    let flaky = match counts.flaky {
        0 => String::new(),
        flaky => format!(", {flaky} flaky"),
    };
    let mut text = match (counts.unexpected, counts.finished()) {
        (_, 0) => format!("No tests ran ({elapsed})."),
        (0, _) => format!("{ran} ran in {elapsed}: all as expected{flaky}."),
        (unexpected, _) => {
            let kinds: Vec<String> = [(counts.crashed, "crashed"), (counts.timed_out, "timed out")]
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, kind)| format!("{n} {kind}"))
                .collect();
            let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
            format!("{ran} ran in {elapsed}: {unexpected} unexpected{kinds}{flaky}.")
        }
    };
    if summary.flaky_fails && counts.flaky > 0 && counts.unexpected == 0 {
        text.push_str("\nFlaky tests count as failures (--flaky=pass: they do not).");
    }
    if summary.stopped.is_some() {
        let more = if summary.listing_complete { "" } else { " or more" };
        text.push_str(&format!("\nThe run ended early: {}{more} tests have no verdict.", summary.not_run));
    }
    text
}

/// `980 bytes`, `12.3 kB`, `4.0 MB`.
fn bytes(count: u64) -> String {
    match count {
        0..1000 => format!("{count} bytes"),
        1000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// A flaky test in the list at a run's end.
fn flaky_line(report: &TestReport) -> String {
    format!("  {}: flaky: {}", report.name, attempts(report))
}

/// `FAIL on 10.0.0.7, then PASS`
fn attempts(report: &TestReport) -> String {
    let outcome = |one: &TestReport| {
        let place = one.place.peer().map(|peer| format!(" on {peer}")).unwrap_or_default();
        format!("{}{place}", one.outcome)
    };
    let attempts: Vec<String> = report.attempts().map(outcome).collect();
    attempts.join(", then ")
}

/// One failure in the list at a run's end.
pub fn failed_line(report: &TestReport) -> String {
    let expected = failure::expectation(report);
    let all = if report.earlier.is_empty() { String::new() } else { format!(" ({})", attempts(report)) };
    format!("  {}: {}{all}", report.name, expected.lines().next().unwrap_or_default())
}

/// `0.42 s`, `12.3 s`, `3 min 20 s`.
pub fn seconds(duration: Duration) -> String {
    let secs = duration.as_secs_f64();
    match secs {
        secs if secs < 9.995 => format!("{secs:.2} s"),
        secs if secs < 59.95 => format!("{secs:.1} s"),
        _ => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    use flotilla_messages::Counts;

    use super::*;

    #[test]
    fn a_run_is_summed_up_in_words() {
        let mut summary = Summary {
            counts: Counts { expected: 5, ..Counts::default() },
            not_run: 0,
            listing_complete: true,
            stopped: None,
            elapsed: Duration::from_millis(420),
            flaky_fails: false,
        };
        assert_eq!(closing(&summary), "5 tests ran in 0.42 s: all as expected.");
        summary.counts.flaky = 2;
        assert_eq!(closing(&summary), "5 tests ran in 0.42 s: all as expected, 2 flaky.");
        summary.flaky_fails = true;
        let fails = "all as expected, 2 flaky.\nFlaky tests count as failures (--flaky=pass: they do not).";
        assert!(closing(&summary).ends_with(fails));
        summary.counts = Counts { expected: 5, unexpected: 2, crashed: 1, ..Counts::default() };
        summary.stopped = Some(StopReason::Interrupted);
        summary.not_run = 7;
        assert_eq!(
            closing(&summary),
            "7 tests ran in 0.42 s: 2 unexpected (1 crashed).\nThe run ended early: 7 tests have no verdict."
        );
    }

    #[test]
    fn peers_are_summed_up_with_what_they_were_sent_and_why_not() {
        let mut tally = Tally::default();
        assert_eq!(tally.places(), None);
        let mut note = |peer: &str, part| tally.note(&Event::Peer(PeerNews { peer: peer.into(), part }));
        let out = |reason: &str| PeerPart::Out { reason: reason.into() };
        note("dora", out("it does not trust this machine"));
        for peer in ["anna", "bob", "carl", "emil"] {
            note(peer, PeerPart::Asked);
        }
        note("anna", PeerPart::Joined { sent: 4_000_000 });
        note("bob", PeerPart::Joined { sent: 0 });
        note("bob", out("its link is cut."));
        note("carl", out("it is full"));
        assert_eq!(
            tally.places().unwrap(),
            "0 tests ran on this machine, 0 on anna (4.0 MB sent), 0 on bob (nothing sent).\n\
             bob was not used to the end: its link is cut.\n\
             carl was not used: it is full.\n\
             dora was not used: it does not trust this machine.\n\
             emil was not used: the run was over before it was ready."
        );
    }

    #[test]
    fn a_run_too_short_for_peers_says_nothing_of_them() {
        let mut tally = Tally::default();
        let part = PeerPart::Out { reason: "it is gone".into() };
        tally.note(&Event::Peer(PeerNews { peer: "bob".into(), part }));
        assert_eq!(tally.places(), None);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(5)), "0.01 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(200)), "3 min 20 s");
    }
}
