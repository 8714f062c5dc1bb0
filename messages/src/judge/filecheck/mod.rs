//! V8's suite `filecheck` (13.7 and later): the output against the CHECK lines of the test.
//!
//! V8's `outproc/filecheck.py` pipes stdout into `python -m filecheck TEST`, which is the package of that name on PyPI,
//! 1.0.1. This is that package again, with its default options: its verdicts, its own ways where LLVM's FileCheck does
//! otherwise, its failures of Python itself included. An exit code other than 0 fails, whatever the reason; what fails
//! there with a traceback fails here with a sentence.
//!
//! | file | holds |
//! |---|---|
//! | `directive` | the CHECK lines of a test |
//! | `piece` | what a CHECK line asks for, cut into its pieces |
//! | `pattern` | from pieces and variables to a regular expression |
//! | `re` | Python's regular expressions |
//! | `input` | the output, and which part of it is being searched |
//! | `matcher` | the directives on the output, one after the other |
//! | `failure` | a directive that does not hold |
//! | `report` | why it does not: what stands there instead |

mod directive;
mod failure;
mod input;
mod matcher;
mod pattern;
mod piece;
mod re;
mod report;
#[cfg(test)]
mod tests;

pub(super) use matcher::failure;
