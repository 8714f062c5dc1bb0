//! Running tests on this machine: a lease in, a verdict out.
//!
//! | module | holds |
//! |---|---|
//! | [`executor`] | the messages between a scheduler and an executor |
//! | [`pool`] | [`LocalPool`](pool::LocalPool) and its [`ProcessRunner`](pool::ProcessRunner)s |
//! | [`process`] | one command from its spawn to its end, with deadline, capture and stop |
//! | [`marker`] | how the processes of a run are recognised |
//! | [`orphans`] | grandchildren that outlive their test, while the runner lives |
//! | [`reaper`] | the process that ends everything when the runner was killed |
//! | [`confine`] | what tests from another machine may access |
//! | `scratch` | where files that are put together for tests lie |
//! | `procfs` | information about processes from /proc |
//!
//! Threads: each [`ProcessRunner`](pool::ProcessRunner) has its own thread of a `SyncArbiter`, which does nothing else
//! while a test's process runs; the reaper is a separate process.
//!
//! Invariants: each lease is answered by exactly one ending; a test's processes, grandchildren included, end no later
//! than the run.

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
