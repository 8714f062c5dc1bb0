//! `runner diff OLD.json NEW.json`: what became of the tests from one run to another.
//!
//! | file | holds |
//! |---|---|
//! | `command` | the command line |
//! | `results` | what a file of results says: ours, or one of V8's own |
//! | `compare` | the difference |
//! | `show` | how it reads |

mod command;
mod compare;
mod results;
mod show;

#[cfg(test)]
pub(crate) use command::Diff;
pub use command::main;
