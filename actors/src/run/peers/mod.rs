//! Brings peers in and sees them off.
//!
//! | file | holds |
//! |---|---|
//! | `core` | which peer is dialled when, and what is reported of it: a state machine without clock or actor |
//! | `actor` | [`Peers`], its shell: finds the inputs, starts proxies, keeps timers |
//! | `nobody` | [`Nobody`], the executor of a machine on which no test is to run |

mod actor;
mod core;
#[cfg(test)]
mod core_tests;
mod nobody;

pub(super) use actor::{Part, Peers};
pub(super) use nobody::Nobody;
