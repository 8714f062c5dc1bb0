//! Status files: what a tree expects of its tests (V8 9.2 `tools/testrunner/local/statusfile.py`).
//!
//! A status file is one Python literal: a list of `[condition, {rule: outcomes}]`. [`condition`] evaluates the
//! conditions over the [`Variables`] of a run, [`file`](mod@file) reads sections and joins their rules, [`outcomes`]
//! is what a rule says. Until 2012 they were written in lines of their own ([`lines`]).
//!
//! Other expectations ([`table`], [`plain`], [`jsc`]) are [`entries`]; [`layers`] puts them above a suite's own status file.

pub mod condition;
pub mod entries;
pub mod file;
mod given;
pub mod jsc;
pub mod layers;
pub mod lines;
pub mod outcomes;
pub mod plain;
mod read;
mod reader;
mod reading;
mod rules;
pub mod table;

pub use condition::{Variable, Variables};
pub use entries::{Entry, EntryFile, Naming};
pub use file::StatusFile;
pub(crate) use given::given;
pub use layers::{Expectations, Said};
pub use outcomes::{Outcomes, Vocabulary};
pub use reading::{Reading, Syntax};
pub use rules::{Rule, SourceRule};
