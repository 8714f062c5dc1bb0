//! Python's `re` (3.11), as far as FileCheck patterns need it: searching part of a text, with groups.
//!
//! The crate `regex` has another syntax (`\<`, `[a&&b]`, `\Z`, a lone `{`), other rules for `$` and for loops around
//! empty matches, and no back references, which are needed when a pattern uses a variable that it captures itself. So
//! patterns are parsed as in Python and matched by backtracking as in Python, which captures the same text. Unlike in
//! Python, all work is counted and limited.
//!
//! | file | holds |
//! |---|---|
//! | `chars` | the characters that one place of a pattern matches |
//! | `tree` | the syntax tree of a pattern |
//! | `reader` | reads a pattern token by token, with the state of its groups and flags |
//! | `parse` | from text to tree, with Python's errors |
//! | `escape` | `\d`, `\x41`, `\1`: the meaning of a backslash |
//! | `program` | from tree to steps |
//! | `run` | runs the steps on a text |
//! | `budget` | limits the work |

mod budget;
mod chars;
mod escape;
mod parse;
mod program;
mod reader;
mod run;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use budget::{Budget, Exhausted};
pub(super) use chars::{digit_value, is_digit, is_space};
pub(super) use run::{Found, Regex};

#[cfg(test)]
use reader::PatternError;
