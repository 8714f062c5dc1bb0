//! `runner diff OLD.json NEW.json`: how the tests' results changed from one run to another.
//!
//! | file | holds |
//! |---|---|
//! | `command` | the command line |
//! | `results` | reading a file of results: ours, or one of V8's own runners |
//! | `compare` | the difference |
//! | `show` | the difference as text and as JSON |

mod command;
mod compare;
mod results;
mod show;

#[cfg(test)]
pub(crate) use command::Diff;
pub use command::main;
