//! Which test goes where.
//!
//! Executors pull: each says how many leases it takes at a time, and gets the next tests when it returns one.
//!
//! | file | holds |
//! |---|---|
//! | `core` | the decisions: a state machine without clock, thread or actor |
//! | `table` | the tests, ten bytes each |
//! | `actor` | [`Scheduler`], the core's shell |
//! | `lister` | the thread on which tests are found |

mod actor;
mod core;
mod lister;
#[cfg(test)]
mod simulation;
mod table;

pub use actor::{Join, Scheduler, Stop};
pub use core::{Core, Effect, Input};
pub use lister::Listing;
