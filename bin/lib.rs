//! The programs `runner` and `peerd`: options, configuration, wiring and presentation.
//!
//! | module | holds |
//! |---|---|
//! | [`runner`] | the command people type |
//! | [`peerd`] | the daemon, and the commands about it |
//! | `report` | what a run looks like to people and programs |
//! | `shell` | the built-in shell, which both can start as a process of its own |
//! | [`mod@options`] | how an option is declared, and how file, environment and command line come together |
//! | `format` | how sizes, durations and dates read |
//! | `notice` | lines on standard error |
//!
//! Which tests there are is the crate `suites`, running them and talking to peers the crate `actors`.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "they panic where the stream is closed or full")]

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
