//! `peerd`, the daemon that lends this machine to trusted peers, and the commands about it. Options, configuration,
//! wiring and presentation are here; the daemon itself is in the crate `actors`.

mod changed;
pub(crate) mod cli;
mod commands;
pub(crate) mod config;
mod control;
mod error;
mod launch;
mod logging;
mod offline;
mod online;
mod out;
mod peers;
mod serve;
#[cfg(test)]
mod snapshots;
mod status;
mod tail;
mod trusting;
mod user;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::shell;

/// The first argument with which a daemon starts the built-in shell for tests of other machines; internal.
const SHELL: &str = "shell";
/// The first argument with which a daemon starts the reaper of a job; internal.
const REAPER: &str = "--reaper";

/// Runs a command line, given without the program's name.
pub fn main(words: Vec<OsString>) -> ExitCode {
    match words.first().and_then(|word| word.to_str()) {
        Some(SHELL) => ExitCode::from(shell::run(words.into_iter().skip(1))),
        Some(REAPER) => {
            flotilla_actors::execution::reaper::main(words.get(1).and_then(|run| run.to_str()).unwrap_or(""))
        }
        _ => ExitCode::from(commands::run(cli::PeerdCli::parse())),
    }
}
