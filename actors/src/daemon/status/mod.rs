//! The Status port: links between daemons, over which statements of trust travel.
//!
//! | file | holds |
//! |---|---|
//! | `core` | which link is kept, what is said first, what a peer's words mean: a state machine |
//! | `handler` | [`StatusHandler`], its shell: the listener, the links, and the actors it tells |

mod core;
#[cfg(test)]
mod core_tests;
mod handler;
#[cfg(test)]
mod simulation;

pub use core::{Core, Effect, Input};
pub use handler::{
    DialPeer, Doubt, Gates, LinkReport, OwnLoad, StatusDialler, StatusGate, StatusHandler, StopStatus,
};
