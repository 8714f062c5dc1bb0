//! Who is there, over UDP: the sockets, their thread, and the actor that ties them to [`membership`](crate::net::membership).
//!
//! ```text
//!  sockets ──▶ radio (a thread: reads, drops echoes, checks signatures) ──bounded──▶ Discovery ──Notice──▶ registry
//!     ▲                                                                                │  core, timer, key
//!     └──────────────────────────── bounded queue of datagrams ◀───────────────────────┘
//! ```
//!
//! Each address of each interface gets sockets of its own, so that it is known by what interface and what way (group,
//! broadcast, direct) a datagram came. An interface that cannot multicast or broadcast is a warning, never an error.
//! A flood of datagrams fills queues that are bounded, and what is dropped is counted; it never reaches the arbiter
//! that serves links faster than that works it off.

mod actor;
mod interfaces;
mod sockets;
#[cfg(test)]
mod tests;
mod udp_thread;

pub use actor::{
    Announced, Census, Discovery, DiscoveryError, DiscoverySetup, LinkFeedback, List, Notice, OwnState,
    StopDiscovery,
};
pub use interfaces::Interfaces;
pub use sockets::Network;
pub use udp_thread::DatagramCounters;
