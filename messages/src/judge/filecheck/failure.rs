//! A directive that does not match, for people.

use std::fmt;

use super::directive::Directive;
use super::pattern::Problem;

/// A directive that does not match, with the reason.
#[derive(Debug)]
pub(super) struct Failure {
    directive: String,
    line: usize,
    why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {} of the test {}", self.directive, self.line, self.why)
    }
}

impl Failure {
    pub(super) fn new(directive: &Directive, why: impl Into<String>) -> Self {
        Self { directive: directive.name(), line: directive.line, why: why.into() }
    }

    pub(super) fn of(directive: &Directive, problem: Problem) -> Self {
        let why = match problem {
            Problem::Unusable(why) => format!("cannot be checked: {why}"),
            Problem::Exhausted => "cannot be checked: matching takes more steps than are allowed".into(),
        };
        Self::new(directive, why)
    }
}
