//! The cases that a client sent, as a pool wants them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use flotilla_messages::port::work::RemoteLease;
use flotilla_messages::{CaseId, Cases, Entry, TestCase, TestName, Unrunnable};

use crate::execution::executor::{Lease, LeaseId};

/// Cases that each run once: the lease's number is the case's.
pub struct Received(Mutex<BTreeMap<CaseId, TestCase>>);

impl Received {
    /// The leases as a pool has them, with where their cases are to be had.
    pub fn take(leases: Vec<RemoteLease>) -> (Vec<Lease>, Self) {
        let lease = |lease: &RemoteLease| Lease {
            id: LeaseId(lease.lease),
            test: CaseId(lease.lease),
            // The client counts them.
            attempt: 1,
        };
        let ids = leases.iter().map(lease).collect();
        let cases = leases.into_iter().map(|lease| (CaseId(lease.lease), lease.case)).collect();
        (ids, Self(Mutex::new(cases)))
    }
}

impl Cases for Received {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        Box::new(std::iter::empty())
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        let case = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        case.ok_or_else(|| {
            let unknown = || "unknown".to_owned();
            let name = TestName {
                suite: unknown(),
                name: format!("lease-{}", id.0),
                variant: unknown(),
                detail: None,
            };
            Box::new(Unrunnable { id: name.path(), name, reason: "its case is gone".into() })
        })
    }
}
