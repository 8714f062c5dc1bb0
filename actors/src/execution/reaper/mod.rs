//! No process of a run outlives the runner, even after SIGKILL of the runner.
//!
//! At its start the runner spawns a small process, the reaper, whose standard input is a pipe that only the runner
//! holds. When that pipe ends, the runner is gone, and the reaper kills every process whose environment carries the run's
//! [marker](crate::execution::marker). This costs the tests nothing, and finds grandchildren that left group and session.
//! A dying runner may be in the middle of a spawn; the half-made child holds a copy of the pipe until it has become the
//! test's program, so the pipe's end also says that nothing more will come.
//!
//! Linux only: elsewhere [`ReaperGuard::spawn`] says that it is not supported.

mod guard;
#[cfg(target_os = "linux")]
mod main;

pub use guard::{ReaperError, ReaperGuard};
#[cfg(target_os = "linux")]
pub use main::main;
