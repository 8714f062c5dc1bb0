//! A test with an unexpected outcome, told whole: name, variant, outcomes, streams, command.

use flotilla_messages::{Captured, Exit, Outcome, TestReport};

use super::console::Console;
use super::context::Context;
use crate::format::seconds;

/// The failure as text, ready to print. Streams come as the test wrote them, UTF-8 or not. Nothing, where another run of
/// the same test has said as much.
pub fn block(report: &TestReport, context: &Context, console: &Console) -> Vec<u8> {
    headed(&format!("=== {} ===", report.name), report, context, console)
}

/// The same with an empty line behind it, for styles that show failures between other lines.
pub fn paragraph(report: &TestReport, context: &Context, console: &Console) -> Option<Vec<u8>> {
    let mut block = block(report, context, console);
    if block.is_empty() {
        return None;
    }
    block.push(b'\n');
    Some(block)
}

/// An unexpected attempt whose test is run again.
pub fn rerun(report: &TestReport, context: &Context, console: &Console) -> Vec<u8> {
    let mut block = block(report, context, console);
    block.extend(b"It is run again.\n");
    block
}

/// All unexpected attempts at a test, one after the other; V8 shows the first one alone.
pub fn blocks(report: &TestReport, context: &Context, console: &Console) -> Vec<u8> {
    let flaky = if report.flaky() { " (flaky)" } else { "" };
    let head = format!("=== {}{flaky} ===", report.name);
    let attempts = report.attempts().filter(|attempt| !attempt.as_expected);
    attempts.flat_map(|attempt| headed(&head, attempt, context, console)).collect()
}

fn headed(head: &str, report: &TestReport, context: &Context, console: &Console) -> Vec<u8> {
    let mut out = Vec::new();
    if !context.told.is_new(report) {
        return out;
    }
    let mut line = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        out.push(b'\n');
    };
    line(console.styled("1", head).as_bytes());
    line(expectation(report).as_bytes());
    if let Some(output) = &report.output {
        for (name, captured) in [("stderr", &output.stderr), ("stdout", &output.stdout)] {
            if captured.total > 0 {
                line(format!("--- {name} ---").as_bytes());
                line(captured.bytes.trim_ascii_end());
                if captured.cut() > 0 {
                    line(cut_note(captured).as_bytes());
                }
            }
        }
    }
    if let Some(difference) = report.difference.as_deref().filter(|_| report.outcome == Outcome::Fail) {
        difference_lines(difference).iter().for_each(|text| line(text.as_bytes()));
    }
    if let Some(case) = &report.case {
        let mut command = b"Command: ".to_vec();
        command.extend(context.command(case));
        line(&command);
    }
    if let Some(peer) = report.place.peer() {
        line(format!("It ran on {peer}. {}", times(report)).as_bytes());
    }
    line(console.styled("1;31", &closing(report)).as_bytes());
    out
}

/// `Queued 0.10 s, ran 1.20 s, transfer 0.03 s; attempt 2.`
fn times(report: &TestReport) -> String {
    let attempt = if report.attempt > 1 { format!("; attempt {}", report.attempt) } else { String::new() };
    format!(
        "Queued {}, ran {}, transfer {}{attempt}.",
        seconds(report.times.queued),
        seconds(report.duration()),
        seconds(report.times.transfer)
    )
}

/// The most lines of a difference that are shown.
const DIFFERENCE: usize = 40;

/// A difference as it is shown: not at all where it is one line, which the explanation names.
fn difference_lines(difference: &str) -> Vec<String> {
    // The first line says what it is, the next two what is compared.
    let mut lines = difference.lines().skip(1);
    let head: Vec<&str> = lines.by_ref().take(2).collect();
    let body: Vec<&str> = lines.collect();
    let changed = |sign: char| body.iter().filter(|line| line.starts_with(sign)).count();
    if changed('-').max(changed('+')) < 2 {
        return Vec::new();
    }
    let shown = ["--- difference ---"].iter().chain(&head).chain(body.iter().take(DIFFERENCE));
    let mut lines: Vec<String> = shown.map(|line| (*line).to_owned()).collect();
    if let more @ 1.. = body.len().saturating_sub(DIFFERENCE) {
        lines.push(format!("[... {more} more lines: see error_details of --json-test-results]"));
    }
    lines
}

/// `expected PASS, got FAIL: line 3 of the output is ...`.
pub fn expectation(report: &TestReport) -> String {
    let expected = match &report.case {
        Some(case) => names(&case.expectation.outcomes),
        None => "PASS".into(),
    };
    let why = report.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let reason = report
        .case
        .as_ref()
        .and_then(|case| case.expectation.reason.as_ref())
        .map(|reason| format!("\n{reason}"))
        .unwrap_or_default();
    let doubt = report.doubt().map(|doubt| format!("\nDoubtful: {doubt}")).unwrap_or_default();
    format!("expected {expected}, got {}{why}{reason}{doubt}", report.outcome)
}

/// The outcomes as a status file has them.
pub fn names(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(" or ")
}

/// What the cap left out, in words.
pub fn cut_note(captured: &Captured) -> String {
    format!(
        "[... {} of {} bytes left out: --max-output keeps {}]",
        captured.cut(),
        captured.total,
        captured.bytes.len()
    )
}

/// V8's last line of a failure.
fn closing(report: &TestReport) -> String {
    match report.outcome {
        Outcome::Crash => match report.output.as_ref().map(|output| output.exit) {
            Some(Exit::Signal(signal)) => format!("--- CRASHED (signal {signal}) ---"),
            _ => "--- CRASHED ---".into(),
        },
        Outcome::Timeout => match &report.case {
            Some(case) => format!("--- TIMEOUT after {} s ---", case.timeout.as_secs_f64()),
            None => "--- TIMEOUT ---".into(),
        },
        Outcome::Pass => "--- UNEXPECTED PASS ---".into(),
        Outcome::Fail => "--- FAILED ---".into(),
    }
}
