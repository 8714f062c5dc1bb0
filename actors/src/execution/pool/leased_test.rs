//! What a lease says of its test.

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
    /// A number to name the test by when nothing else is known of it: of a case that came with its lease, the lease's.
    pub(super) fn id(&self, lease: LeaseId) -> CaseId {
        match self {
            Self::Id { id, .. } => *id,
            Self::Case(_) => CaseId(lease.0),
        }
    }
}
