//! Status files: what a tree expects of its tests (V8 9.2 `tools/testrunner/local/statusfile.py`).
//!
//! A status file is one Python literal: a list of `[condition, {rule: outcomes}]`. [`condition`] evaluates the
//! conditions over the [`Variables`] of a run, [`file`](mod@file) reads sections and joins their rules, [`outcomes`]
//! is what a rule says. Until 2012 they were written in lines of their own ([`lines`]).

pub mod condition;
pub mod file;
pub mod lines;
pub mod outcomes;
mod rules;

pub use condition::{Variable, Variables};
pub use file::{Reading, StatusFile, Syntax};
pub use outcomes::{Outcomes, Vocabulary};
pub use rules::{Rule, SourceRule};
