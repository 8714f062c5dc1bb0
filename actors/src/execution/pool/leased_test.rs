//! The test that a lease refers to.

use std::sync::Arc;

use flotilla_messages::{CaseId, Cases, TestCase};

use crate::execution::executor::LeaseId;

/// The test of a lease.
pub enum LeasedTest {
    /// Its case is made on the thread that runs it.
    Id {
        /// The test's number in its run.
        id: CaseId,
        /// Makes the case.
        cases: Arc<dyn Cases>,
    },
    /// Its case came with the lease.
    Case(Box<TestCase>),
}

impl LeasedTest {
    /// A number that names the test when nothing else is known: the lease's number if the case came with its lease.
    pub(super) fn id(&self, lease: LeaseId) -> CaseId {
        match self {
            Self::Id { id, .. } => *id,
            Self::Case(_) => CaseId(lease.0),
        }
    }
}
