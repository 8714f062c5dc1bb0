//! Feeds any CHECK lines and any output to the judge of the suite filecheck. It does not panic, judges within its
//! budget of work and gives a reason for each failure; CHECK lines made from the lines of the output in order pass.

#![no_main]

use std::time::Duration;

use flotilla_messages::{Captured, Exit, Judge, Memory, Outcome, Output, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (test, stdout) = input;
    let output = Output {
        exit: Exit::Code(0),
        timed_out: false,
        stdout: Captured::whole(stdout),
        stderr: Captured::default(),
        duration: Duration::ZERO,
        memory: Memory::default(),
        started: None,
    };
    for test in [test, &[b"CHECK: ", test].concat(), &[b"CHECK: {{", test, b"}}"].concat()] {
        let judgement = judge(&Judge::FileCheck, &output, Some(test));
        assert_eq!(judgement.outcome == Outcome::Pass, judgement.why.is_none());
    }
    // A line may contain anything except CHECK and the characters that only Python treats as whitespace.
    let text = output.stdout.text();
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    let test: String = lines
        .filter(|line| !line.contains("CHECK") && !line.contains(['\x1c', '\x1d', '\x1e', '\x1f']))
        .map(|line| format!("CHECK{{LITERAL}}: {line}\n"))
        .collect();
    if !test.is_empty() {
        assert_eq!(judge(&Judge::FileCheck, &output, Some(test.as_bytes())).why, None);
    }
});
