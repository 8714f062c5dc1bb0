//! From a process's output to an outcome, one file per kind of judge.

mod allocations;
mod exception;
mod exit;
mod grokdump;
mod lines;
mod phrases;
mod template;
mod text;
mod verdict;

pub use allocations::Allocations;
pub use verdict::{Judge, Judgement, judge};
