//! Predictable builds (V8's `PredictableFilterProc`): which tests are run three times to compare their allocations.

use flotilla_messages::{Judge, Outcome};

use super::case::V8Test;
use crate::kind::CaseContext;
use crate::v8::dialect::Predictable;

impl V8Test {
    /// Whether a predictable build runs an instance: what fails on purpose prints no hash of its allocations.
    pub fn can_be_predictable(&self, context: &CaseContext<'_>) -> bool {
        let rules = self.suite.run.dialect.predictable;
        if rules == Predictable::All {
            return true;
        }
        let expectation = self.expected(context, &self.flags(context));
        let (judge, _) = self.judging(&context.name.name, context.reverse);
        let negative = match judge {
            Judge::Exception { negative, .. } | Judge::Phrases { negative, .. } => negative,
            Judge::Template { fails, .. } => fails && rules == Predictable::PositiveOnD8,
            _ => false,
        };
        !negative && !expectation.outcomes.contains(&Outcome::Fail)
    }
}
