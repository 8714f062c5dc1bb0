//! Tests of this machine's job slots: [`PoolThreads`], one [`ProcessRunner`] on each, and [`LocalPool`], the executor of a
//! run that gives them work. The daemon's job for a peer gives them cases that came over the wire.
//!
//! | file | holds |
//! |---|---|
//! | `attempt` | one lease from its case to its ending; no actor |
//! | `scratch_dir` | where the files that are put together for tests lie |
//! | `control` | the state that the pool's threads share with whatever stops them |
//! | `sandbox` | restrictions on tests from another machine |
//! | `local` | the executor actor |
//! | `runner` | the actor on each thread |
//! | `threads` | the threads of a pool |
//! | `leased_test` | the test that a lease refers to |

mod attempt;
mod control;
mod leased_test;
mod local;
mod runner;
mod sandbox;
mod scratch_dir;
mod threads;

pub use control::{Control, Setup};
pub use leased_test::LeasedTest;
pub use local::LocalPool;
pub use runner::ProcessRunner;
pub(crate) use runner::panic_text;
pub use sandbox::Sandbox;
pub use threads::PoolThreads;
