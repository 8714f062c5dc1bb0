//! Which failures were told whole: of a test that runs many times, one is enough to read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use flotilla_messages::TestReport;

/// What was told. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// By the test's id, outcome and explanation; nothing where each test runs once.
    seen: Option<Arc<Mutex<BTreeSet<String>>>>,
}

impl Told {
    /// For a run in which tests run several times.
    pub fn repeated() -> Self {
        Self { seen: Some(Arc::default()) }
    }

    /// Whether this failure is to be told: it is the test's first of its kind.
    pub fn is_new(&self, report: &TestReport) -> bool {
        let Some(seen) = &self.seen else { return true };
        let kind = format!("{} {}", report.id, report.outcome);
        seen.lock().unwrap_or_else(PoisonError::into_inner).insert(kind)
    }
}
