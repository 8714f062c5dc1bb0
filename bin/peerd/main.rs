//! `peerd`, the daemon that lends this machine to trusted peers. In this version: its identity and its trust, as
//! far as they are kept on disk. Options and presentation are here, what they do is the crate `actors`.

mod cli;
mod commands;
mod offline;
mod peers;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    ExitCode::from(commands::run(cli::Cli::parse()))
}
