//! `runner`: the command that runs tests. Options, configuration, wiring and presentation are here; the crate `suites` finds
//! the tests, the crate `actors` runs them.

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

/// The first argument with which a runner starts its reaper; internal.
const REAPER: &str = "--reaper";

/// Runs a command line, given without the program's name.
pub fn main(words: Vec<OsString>) -> ExitCode {
    // Only the first word can be a subcommand: `./shell`, or `-- shell`, is a suite called `shell`.
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
