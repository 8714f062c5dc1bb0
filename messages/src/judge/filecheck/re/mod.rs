//! Python's `re` (3.11) for what a FileCheck pattern needs: searching in a part of a text, with groups.
//!
//! The crate `regex` has another syntax (`\<`, `[a&&b]`, `\Z`, `{` by itself), other rules for `$` and for loops around
//! nothing, and no back references, which a pattern that uses a variable where it captures it needs. So patterns are read
//! as Python reads them and matched with backtracking as Python matches them, so that the same text is captured; only
//! that all work is counted and bounded.
//!
//! | file | holds |
//! |---|---|
//! | `chars` | which characters one place of a pattern takes |
//! | `tree` | what a pattern says |
//! | `reader` | the text token by token, and what is known of it so far |
//! | `parse` | from text to tree, with Python's errors |
//! | `escape` | `\d`, `\x41`, `\1`: what a backslash means |
//! | `program` | from tree to steps |
//! | `run` | the steps on a text |
//! | `budget` | how much work may be done |

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
