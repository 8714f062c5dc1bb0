//! `runner`: the command people type. Options, configuration, wiring and presentation; which tests there are is
//! the crate `suites`, running them the crate `actors`.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "they panic where the stream is closed or full")]

#[macro_use]
#[path = "../notice.rs"]
mod notice;

mod again;
mod app;
mod builds;
mod cli;
mod config;
mod control;
mod data;
mod diff;
mod history;
mod legacy;
mod list;
mod logging;
mod made;
mod network;
mod overview;
mod recall;
mod report;
mod run;
#[path = "../shell/mod.rs"]
mod shell;
mod special;
#[cfg(test)]
mod spellings;
mod test262;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The first word by which a runner starts its reaper; not for people.
const REAPER: &str = "--reaper";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    // Subcommands are first words only, so that a suite called `shell` is reached by `./shell` or after `--`.
    match words.first().and_then(|word| word.to_str()) {
        Some("shell") => ExitCode::from(shell::run(words.into_iter().skip(1))),
        Some("history") => ExitCode::from(recall::main(words)),
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
