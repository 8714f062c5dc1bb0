//! The local executor: [`LocalPool`] and its [`ProcessRunner`]s, one thread per job slot.
//!
//! | file | holds |
//! |---|---|
//! | `attempt` | one lease from its case to its ending; no actor |
//! | `scratch_dir` | where the files that are put together for tests lie |
//! | `control` | what the pool's threads share with those who stop them |
//! | `sandbox` | what is different for tests of another machine |
//! | `local` | the executor actor |
//! | `runner` | the actor on each thread |

mod attempt;
mod control;
mod local;
mod runner;
mod sandbox;
mod scratch_dir;

pub use control::{Control, Setup};
pub use local::LocalPool;
pub use runner::ProcessRunner;
pub(crate) use runner::panic_text;
pub use sandbox::Sandbox;
