//! Predictable builds (V8's `PredictableFilterProc`): which tests are run three times to compare their allocations.

use flotilla_messages::{Expectation, Judge, Outcome};

use crate::expectations::Outcomes;
use crate::plan::instances::TestInstance;
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;
use crate::v8::dialect::{Predictable, Property};

impl Tree {
    /// Whether a predictable build runs a subtest: what fails on purpose prints no hash of its allocations. Words that
    /// skip it are for others to see.
    pub(crate) fn can_be_predictable(
        &self,
        suite: &Suite,
        index: u32,
        base: &TestFile,
        subtest: TestInstance,
        outcomes: Outcomes,
    ) -> bool {
        if self.dialect.predictable == Predictable::All
            || outcomes.has(Outcomes::SKIP) && !self.options.run_skipped
        {
            return true;
        }
        if self.dialect.predictable == Predictable::PositiveOnD8 && !suite.is_on_d8() {
            return false;
        }
        let prepared = self.prepared(index, base);
        // What cannot be read says so when it is to run.
        let Ok(prepared) = &*prepared else { return true };
        let name = self.bases().name(base);
        let expectation = self.expected(suite, base, subtest, outcomes, prepared);
        let reverse = Self::is_reverse(prepared.strictness, subtest);
        let (judge, _) = self.judging(suite, base, name, prepared, reverse);
        let negative = match judge {
            Judge::Exception { negative, .. } | Judge::Phrases { negative, .. } => negative,
            Judge::Template { fails, .. } => fails && self.dialect.predictable == Predictable::PositiveOnD8,
            _ => false,
        };
        !negative && !expectation.outcomes.contains(&Outcome::Fail)
    }

    /// How a predictable build judges a test, whatever the suite's own judge and the status file say.
    pub(crate) fn as_predictable(&self) -> Option<(Judge, Expectation)> {
        let required = self.dialect.predictable != Predictable::All;
        self.build.has(Property::Predictable).then(|| {
            (
                Judge::Allocations { required },
                Expectation { outcomes: vec![Outcome::Pass], reason: None, doubt: None },
            )
        })
    }
}
