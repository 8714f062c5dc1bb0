//! Checks output against the CHECK lines of a test, as the judge of V8's suite `filecheck` does:
//!
//!     d8 TEST | cargo run -q -p flotilla-messages --example filecheck TEST
//!
//! Prints why the output fails. Exit code 0: it passes, 1: it fails, 2: the files cannot be read.

use std::io::{Read, stdin};
use std::process::ExitCode;
use std::time::Duration;

use flotilla_messages::{Captured, Exit, Judge, Memory, Outcome, Output, judge};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: filecheck TEST < OUTPUT");
        return ExitCode::from(2);
    };
    let mut stdout = Vec::new();
    let test = match std::fs::read(&path).and_then(|test| stdin().read_to_end(&mut stdout).map(|_| test)) {
        Ok(test) => test,
        Err(error) => {
            eprintln!("cannot read {} or the standard input: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let output = Output {
        exit: Exit::Code(0),
        timed_out: false,
        stdout: Captured::whole(stdout),
        stderr: Captured::default(),
        duration: Duration::ZERO,
        memory: Memory::default(),
        started: None,
    };
    let judgement = judge(&Judge::FileCheck, &output, Some(&test));
    if let Some(why) = &judgement.why {
        println!("{why}");
    }
    if judgement.outcome == Outcome::Pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
