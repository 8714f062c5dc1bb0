//! `peerd`: see [`flotilla::peerd`].

use std::process::ExitCode;

fn main() -> ExitCode {
    flotilla::peerd::main(std::env::args_os().skip(1).collect())
}
