//! From a process's output to an outcome, one file per kind of judge.

mod allocations;
mod checks;
mod difference;
mod exception;
mod exit;
mod filecheck;
mod grokdump;
mod judgement;
mod lines;
mod phrases;
mod template;
mod test262;
mod text;
mod verdict;

pub use allocations::Allocations;
pub use checks::{Checks, Compare, ExitRule, Patterns, Stream, pattern_problem};
pub use difference::{MOST_DIFFERENCE, difference};
pub use judgement::Judgement;
pub use template::TemplateRules;
pub use test262::{Negative, Phase, Uncaught};
pub use verdict::{Judge, judge};
