//! The Work port: runners of trusted peers have their tests run here, one client at a time.
//!
//! ```text
//!  Link ──LinkNews──▶ WorkHandler ──Heard──▶ WorkSession ◀──▶ Session (the core)
//!                       (queue)                │  │  ▲
//!             Survey, Put, LayOut, Clear ◀─────┘  │  └──News── PoolThreads: ProcessRunner*
//!                      Stocks                     └──run──────────▲
//! ```
//!
//! A job's pool, its directory for temporary files and its reaper are made for it and end with it, however it ends: the
//! client says Done, its link ends, its key is not trusted any more, or the daemon ends. Only then the next client's
//! turn comes.
//!
//! | file | holds |
//! |---|---|
//! | `handler` | [`WorkHandler`]: whose turn it is |
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
mod pace;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;

pub use fetch::Dialler;
pub use handler::{Claimed, Facts, Guests, Part, Queued, WorkHandler};
pub use input_store::StorePaths;
pub use session::Patience;
pub use settings::WorkSettings;
