//! V8's suite `filecheck` (13.7 and later): judges the output by the CHECK lines of the test.
//!
//! V8's `outproc/filecheck.py` pipes stdout into `python -m filecheck TEST`, which is the package of that name on
//! PyPI, version 1.0.1. This module re-creates that package with its default options: its verdicts, its differences
//! from LLVM's FileCheck, and its Python exceptions, since any exit code other than 0 fails the test. What fails
//! there with a traceback fails here with an explanation.
//!
//! | file | holds |
//! |---|---|
//! | `directive` | the CHECK lines of a test |
//! | `piece` | the pieces of a CHECK line |
//! | `pattern` | from pieces and variables to a regular expression |
//! | `re` | Python's regular expressions |
//! | `input` | the output, and the part of it being searched |
//! | `matcher` | matches the directives against the output in order |
//! | `failure` | a directive that does not match |
//! | `report` | explains why a directive does not match |

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
