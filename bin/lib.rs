//! The programs `runner` and `peerd`: options, configuration, wiring and presentation.
//!
//! | module | holds |
//! |---|---|
//! | [`runner`] | the command people type |
//! | [`peerd`] | the daemon, and the commands about it |
//! | `report` | reports of a run, for people and for programs |
//! | `shell` | the built-in shell, which both programs can start as a separate process |
//! | [`mod@options`] | how an option is declared, and how file, environment and command line are merged |
//! | `format` | the format of sizes, durations and dates |
//! | `notice` | lines on standard error |
//!
//! The crate `suites` finds the tests; the crate `actors` runs them and talks to peers.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "they panic if the stream is closed or full")]

#[cfg(test)]
mod documents;
mod format;
#[cfg(test)]
mod help;
#[macro_use]
mod notice;
#[macro_use]
pub mod options;
pub mod peerd;
mod report;
pub mod runner;
mod shell;
