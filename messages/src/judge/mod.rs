//! From a process's output to an outcome, one file per kind of judge.

mod exception;
mod exit;
mod lines;
mod template;
mod text;
mod verdict;

pub use verdict::{Judge, Judgement, judge};
