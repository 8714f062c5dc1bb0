//! `peerd`, the daemon that lends this machine to trusted peers. Not in this version: it says so.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!(
        "peerd: this version of Flotilla runs tests on this machine only; the daemon comes with the next one."
    );
    ExitCode::from(2)
}
