//! The Work port: runners of trusted peers have their tests run here, one client at a time.
//!
//! ```text
//!  Link ──LinkNews──▶ WorkHandler ◀──▶ ClientQueue (a core)
//!   │                   │     ▲
//!   │        SessionInput     SessionEvent
//!   │ in its turn       ▼     │
//!   └────LinkNews────▶ WorkSession ◀──▶ Session (a core)
//!                       │   │  ▲
//!   Survey, Put, LayOut │   │  └──News── PoolThreads: ProcessRunner*
//!                       ▼   └───run───────▲
//!                   InputStore
//! ```
//!
//! A job's pool, its directory for temporary files and its reaper are made for it and end with it, however it ends: the
//! client says Done, its link ends, its key is not trusted any more, or the daemon ends. Only then the next client's
//! turn comes.
//!
//! A client's link belongs to the handler while it waits, and to its session when that begins.
//!
//! | file | holds |
//! |---|---|
//! | `handler` | [`WorkHandler`], the queue's shell |
//! | `queue` | whose turn it is: a state machine without clock, link or actor |
//! | `messages` | what sessions and fetchers tell their parents |
//! | `actor` | `WorkSession`, the core's shell |
//! | `session` | what is said with one client: a state machine without clock, thread or actor |
//! | `pace` | how many leases a client may have out |
//! | `admission` | what is checked before anything is done: packets, cases, environment |
//! | `fetch` | large blobs from peer to peer |
//! | `input_store` | the inputs on disk, on a thread of their own |
//! | `job` | the pool made for a job, its probe, and its end |
//! | `settings` | [`WorkSettings`] |

mod actor;
mod admission;
mod fetch;
mod handler;
mod input_store;
mod job;
mod messages;
mod pace;
mod patience;
mod queue;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;

pub use fetch::Dialler;
pub use handler::{Claimed, Queued, StopWork, WorkDependencies, WorkHandler};
pub use input_store::StorePaths;
pub use messages::Guests;
pub use patience::Patience;
pub use settings::WorkSettings;
