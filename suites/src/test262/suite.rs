//! A bare checkout as a suite.

use std::path::PathBuf;
use std::sync::Arc;

use flotilla_messages::Program;

use super::choice::FeatureFilter;
use super::host::Host;
use crate::files::walk::WalkRules;
use crate::kind::VariantChoice;
use crate::v8::facts::RunFacts;

/// The directory of tests.
pub const TESTS: &str = "test";
/// A checkout of test262: one suite, whose directory is the root.
#[derive(Debug)]
pub struct Test262Suite {
    /// What all tests of the run share.
    pub run: Arc<RunFacts>,
    /// Which files are tests.
    pub walk: WalkRules,
    /// What its shell is told.
    pub host: Host,
    /// Which features' tests run.
    pub features: FeatureFilter,
    /// What runs its tests.
    pub program: Program,
    /// Which variants they run in.
    pub variants: VariantChoice,
}

impl Test262Suite {
    /// The directory of tests.
    pub fn tests_dir(&self) -> PathBuf {
        self.run.root().join(TESTS)
    }
}
