//! Systems without child subreapers.

use rustix::process::Pid;

use crate::execution::executor::LeaseId;
use crate::execution::marker::RunId;

/// Watches nothing.
pub struct Orphans;

impl Orphans {
    /// Installs nothing.
    pub fn adopt(_: &RunId) -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Does nothing: no child is ever seen.
    pub fn spare(&mut self, _: Pid) {}

    /// Does nothing: no orphan is ever seen.
    pub fn test_ended(&self, _: LeaseId, _: &dyn Fn(LeaseId) -> bool) {}

    /// Reports that nothing is left, as far as this system can tell.
    pub fn end_all(&self) -> bool {
        true
    }
}
