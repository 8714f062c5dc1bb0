//! The `--help` of each command, whole.

use clap::{Command, CommandFactory};
use insta::assert_snapshot;

use crate::{peerd, runner};

/// As it is printed where standard output is no terminal.
fn help(mut command: Command) -> String {
    command.build();
    command.term_width(100).render_long_help().to_string()
}

#[test]
fn help_of_runner() {
    assert_snapshot!(help(runner::cli::Cli::command()));
}

#[test]
fn help_of_runner_history() {
    assert_snapshot!(help(runner::history_command::HistoryCommand::command()));
}

#[test]
fn help_of_runner_diff() {
    assert_snapshot!(help(runner::diff::Diff::command()));
}

#[test]
fn help_of_peerd_and_its_commands() {
    let mut peerd = peerd::cli::PeerdCli::command();
    peerd.build();
    let commands: Vec<Command> = peerd.get_subcommands().cloned().collect();
    let texts: Vec<String> = std::iter::once(peerd).chain(commands).map(help).collect();
    assert_snapshot!(texts.join("\n----------\n\n"));
}
