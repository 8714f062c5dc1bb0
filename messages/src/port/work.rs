//! The Work port: a runner of a trusted peer asks this machine to run tests.
//!
//! In this version only its beginning: a client learns its place in the queue, and work is refused in words.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// All that is said there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkMessage {
    /// The peer, first: so many clients come before this one.
    Queue {
        /// Clients before this one.
        ahead: u16,
    },
    /// The client: run this. Its form is not settled in this version, so whatever it is, it is refused.
    Packet(ByteBuf),
    /// The peer: it will not be.
    Refused {
        /// Why, for people.
        reason: String,
    },
}
