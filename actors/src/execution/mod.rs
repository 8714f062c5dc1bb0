//! Running tests on this machine: a lease in, a verdict out.
//!
//! | module | holds |
//! |---|---|
//! | [`executor`] | what a scheduler and an executor say to one another |
//! | [`pool`] | [`LocalPool`](pool::LocalPool) and its [`ProcessRunner`](pool::ProcessRunner)s |
//! | [`process`] | one command from its spawn to its end, with deadline, capture and stop |
//! | [`marker`] | how the processes of a run are recognised |
//! | [`orphans`] | grandchildren that outlive their test, while the runner lives |
//! | [`reaper`] | the process that ends everything when the runner was killed |
//! | [`confine`] | what tests that another machine asked for may touch |
//! | `scratch` | where files that are put together for tests lie |
//! | `procfs` | what /proc says of processes |
//!
//! Threads: each [`ProcessRunner`](pool::ProcessRunner) has one of a `SyncArbiter`, of which a test's process is the
//! only business while it runs; the reaper is a process of its own.
//!
//! Invariants: each lease is answered by exactly one ending; a test's processes, grandchildren included, end before or
//! with the run.

pub mod confine;
pub mod executor;
pub mod marker;
pub mod orphans;
pub mod pool;
pub mod process;
#[cfg(target_os = "linux")]
mod procfs;
pub mod reaper;
pub(crate) mod scratch;
