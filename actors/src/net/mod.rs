//! Peers on the network: finding them, and talking to them.
//!
//! | module | holds |
//! |---|---|
//! | [`link`] | connections between peers: TLS with raw public keys, Hello, heartbeats, Bye |
//! | [`membership`] | which peers are on the network: a state machine |
//! | [`discovery`] | its sockets, and the actor that finds peers over UDP |
//!
//! Threads: UDP sockets have one of their own; links live on the arbiter that opened them.
//!
//! Invariants: nothing is read of a peer without a limit that was set before; a key that is not trusted gets no link.

pub mod discovery;
pub mod link;
pub mod membership;
