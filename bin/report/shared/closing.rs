//! How a run's end reads.

use flotilla_messages::{FlakyTest, Outcome, PeerShare, Place, RunEnd, StopReason, Summary, TestReport};

use super::console::Console;
use super::failure;
use crate::format::{bytes, seconds};

/// The run's end: which tests were flaky, where tests ran, and how they ended.
pub fn close(console: &mut Console, end: &RunEnd) {
    for test in &end.flaky {
        console.line(&flaky_line(test));
    }
    if let Some(places) = places(end) {
        console.line(&places);
    }
    console.line(&closing(&end.summary));
    if let Some(doubtful) = doubtful(&end.summary) {
        console.line(&doubtful);
    }
}

/// `2 of the unexpected outcomes are doubtful: ...`, if any are.
fn doubtful(summary: &Summary) -> Option<String> {
    let (outcomes, are) = match summary.counts.doubtful {
        0 => return None,
        1 => ("1 of the unexpected outcomes".to_owned(), "is"),
        many => (format!("{many} of the unexpected outcomes"), "are"),
    };
    Some(format!("{outcomes} {are} doubtful: a rule may hold that was not understood."))
}

/// `12 tests ran on this machine, 30 on 10.0.0.7 (4.0 MB sent).`, and a line for each peer that was not used, or not to
/// the end. Nothing if no peer was asked.
pub fn places(end: &RunEnd) -> Option<String> {
    let anywhere = |peer: &PeerShare| peer.tests > 0 || peer.sent.is_some();
    if !end.peers.values().any(|peer| peer.asked || anywhere(peer)) {
        return None;
    }
    let there = end.peers.values().map(|peer| peer.tests).sum();
    let here = end.summary.counts.finished().saturating_sub(there);
    let mut text = match here {
        1 => "1 test ran on this machine".to_owned(),
        _ => format!("{here} tests ran on this machine"),
    };
    for (name, peer) in end.peers.iter().filter(|(_, peer)| anywhere(peer)) {
        let sent = match peer.sent {
            Some(0) => " (nothing sent)".to_owned(),
            Some(sent) => format!(" ({} sent)", bytes(sent)),
            None => String::new(),
        };
        text.push_str(&format!(", {} on {name}{sent}", peer.tests));
    }
    text.push('.');
    for (name, peer) in &end.peers {
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

/// A flaky test in the list at a run's end: `  mjsunit/a (default): flaky: FAIL, then PASS`.
pub fn flaky_line(test: &FlakyTest) -> String {
    let attempts = test.attempts.iter().map(|(outcome, place)| (outcome, place));
    format!("  {}: flaky: {}", test.name, joined(attempts))
}

/// `FAIL on 10.0.0.7, then PASS`
fn joined<'a>(attempts: impl Iterator<Item = (&'a Outcome, &'a Place)>) -> String {
    let words = attempts.map(|(outcome, place)| match place.peer() {
        Some(peer) => format!("{outcome} on {peer}"),
        None => outcome.to_string(),
    });
    words.collect::<Vec<_>>().join(", then ")
}

/// One failure in the list at a run's end.
pub fn failed_line(report: &TestReport) -> String {
    let expected = failure::expectation(report);
    let all = if report.earlier.is_empty() {
        String::new()
    } else {
        format!(" ({})", joined(report.attempts().map(|one| (&one.outcome, &one.place))))
    };
    format!("  {}: {}{all}", report.name, expected.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_messages::Counts;

    use super::*;

    fn end() -> RunEnd {
        RunEnd::of(Summary {
            counts: Counts::default(),
            not_run: 0,
            listing_complete: true,
            stopped: None,
            elapsed: Duration::ZERO,
            flaky_fails: false,
        })
    }

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
        let mut end = end();
        assert_eq!(places(&end), None);
        let out = |reason: &str| Some(reason.to_owned());
        for (peer, asked, sent, out) in [
            ("anna", true, Some(4_000_000), None),
            ("bob", true, Some(0), out("its link is cut.")),
            ("carl", true, None, out("it is full")),
            ("dora", false, None, out("it does not trust this machine")),
            ("emil", true, None, None),
        ] {
            end.peers.insert(peer.into(), PeerShare { tests: 0, asked, sent, out });
        }
        assert_eq!(
            places(&end).unwrap(),
            "0 tests ran on this machine, 0 on anna (4.0 MB sent), 0 on bob (nothing sent).\n\
             bob was not used to the end: its link is cut.\n\
             carl was not used: it is full.\n\
             dora was not used: it does not trust this machine.\n\
             emil was not used: the run was over before it was ready."
        );
    }

    #[test]
    fn a_run_too_short_for_peers_says_nothing_of_them() {
        let mut end = end();
        end.peers.insert("bob".into(), PeerShare { out: Some("it is gone".into()), ..PeerShare::default() });
        assert_eq!(places(&end), None);
    }
}
