//! `peerd`, the daemon that lends this machine to trusted peers, and the commands about it. Options, configuration,
//! wiring and presentation are here; what the daemon does is the crate `actors`.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "they panic where the stream is closed or full")]

#[macro_use]
#[path = "../notice.rs"]
mod notice;

mod cli;
mod commands;
mod config;
mod control;
mod launch;
mod logging;
mod offline;
mod online;
mod peers;
mod serve;
#[path = "../shell/mod.rs"]
mod shell;
mod status;
mod tail;
mod trusting;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// The first word by which a daemon runs tests of other machines on the built-in shell; not for people.
const SHELL: &str = "shell";
/// The first word by which a daemon starts the reaper of a job; not for people.
const REAPER: &str = "--reaper";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.first().and_then(|word| word.to_str()) {
        Some(SHELL) => ExitCode::from(shell::run(words.into_iter().skip(1))),
        Some(REAPER) => {
            flotilla_actors::execution::reaper::main(words.get(1).and_then(|run| run.to_str()).unwrap_or(""))
        }
        _ => ExitCode::from(commands::run(cli::Cli::parse())),
    }
}
