//! A peer as an executor: [`PeerProxy`] takes the scheduler's orders as [`LocalPool`](crate::pool::LocalPool) does, and
//! has a peer carry them out.
//!
//! ```text
//!  Scheduler ──Order──▶ PeerProxy ──Say──▶ Link ◀──▶ the peer's Work port
//!      ▲                 │  ▲  │
//!      └─────News────────┘  │  └─▶ CaseMaker, packs: threads that read files
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `core` | what is said to a peer and what comes of it: a state machine without clock, socket or actor |
//! | `actor` | [`PeerProxy`], the core's shell |
//! | `exchange` | [`Exchange`]: which peer gets a large blob from where |
//! | `cases` | [`CaseMaker`]: makes the cases of leases, away from the arbiter |

mod actor;
mod cases;
mod core;
#[cfg(test)]
mod core_tests;
mod exchange;

pub use actor::{Distrust, End, Gone, Job, PeerProxy, Target};
pub use cases::CaseMaker;
pub use core::{Core, Effect, Input, Made};
pub use exchange::Exchange;
