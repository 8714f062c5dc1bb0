//! `peerd`, the daemon that lends this machine to trusted peers, and the commands about it. Options, configuration,
//! wiring and presentation are here; what the daemon does is the crate `actors`.

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
mod status;
mod tail;
mod trusting;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    ExitCode::from(commands::run(cli::Cli::parse()))
}
