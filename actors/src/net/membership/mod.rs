//! Who is there: the membership of the network, from what peers say over UDP and what dials found out.
//!
//! A pure core: it knows neither clock nor socket. Times are [`Duration`](std::time::Duration)s since any fixed
//! moment that the caller chose. It gets datagrams whose signatures were found good, and what became of dials; it
//! says what to send, whom to dial and who came or went. A datagram is a hint for a dial, never an authority: only
//! a link whose handshake proved the key makes a peer [`Contact::Linked`].
//!
//! Rules: one announcement every clamp(N x 0.3 s, 5 s, 300 s), up to a fifth earlier by chance; a peer that stays
//! silent for three of *its* intervals is gone, unless a link to it lives; newcomers get a delayed Reply where no
//! more than 20 peers are known; what is older than the newest heard of a key, or as old, is a replay.
//!
//! Limits: the table is bounded, and a flood of new identities drives out those that nothing has proven, the longest
//! silent first; it can lengthen this host's interval to 300 s and delay dials of strangers, no more. The interval is
//! part of every announcement, so nobody is taken for gone because others know fewer peers than it does.

mod core;
mod peer;
#[cfg(test)]
mod simulation;
mod table;
#[cfg(test)]
mod tests;

pub use core::{Core, Counters, Destination, Effect, Input, Settings, Way, Why};
pub use peer::{Contact, Peer};
