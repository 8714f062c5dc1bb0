//! `runner`: the command people type. Options, configuration, wiring and presentation; which tests there are is
//! the crate `suites`, running them the crate `actors`.

mod again;
mod app;
mod build_flags;
mod builds;
pub(crate) mod cli;
mod config;
mod control;
mod data;
pub(crate) mod diff;
mod environment;
mod error;
mod history;
pub(crate) mod history_command;
mod left_out;
mod legacy;
mod list;
mod logging;
mod network;
mod opening;
mod overview;
mod reporters;
mod run;
pub(crate) mod settings;
mod special;
#[cfg(test)]
mod spellings;
mod test262;
mod test_id;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::shell;

/// The first word by which a runner starts its reaper; not for people.
const REAPER: &str = "--reaper";

/// Does what the words of a command line say, without the first one, which is the program.
pub fn main(words: Vec<OsString>) -> ExitCode {
    // Subcommands are first words only, so that a suite called `shell` is reached by `./shell` or after `--`.
    match words.first().and_then(|word| word.to_str()) {
        Some("shell") => ExitCode::from(shell::run(words.into_iter().skip(1))),
        Some("history") => ExitCode::from(history_command::main(words)),
        Some("diff") => ExitCode::from(diff::main(words)),
        Some(REAPER) => {
            flotilla_actors::execution::reaper::main(words.get(1).and_then(|run| run.to_str()).unwrap_or(""))
        }
        _ => {
            let cli = cli::Cli::parse();
            logging::start();
            ExitCode::from(app::main(cli))
        }
    }
}
