//! What the actors of the Work port tell their parents, and the words all of them use.

use actix::{Addr, Message};
use flotilla_messages::inputs::Digest;
use flotilla_messages::port::work::WorkMessage;

use crate::net::link::{Link, LinkId};

/// What a client is told whose key was revoked.
pub const NOT_TRUSTED: &str = "this key is not trusted here any more";

/// What a session tells its handler.
#[derive(Message)]
#[rtype(result = "()")]
pub enum SessionEvent {
    /// Its client is a peer that fetches: send it these blobs. The session ends.
    Serve {
        /// The peer's link.
        link: Addr<Link<WorkMessage>>,
        /// What the peer asks for.
        blobs: Vec<Digest>,
    },
    /// The session has ended; the last thing it tells.
    Ended {
        /// Its client's link.
        link: LinkId,
        /// Whether nothing is left of its job.
        in_order: bool,
    },
}

/// A fetcher tells its session that it has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FetchEnded {
    /// How many of the blobs that the job lacks are still to come, from whomever.
    pub left: usize,
    /// What this fetcher was to get and did not.
    pub missing: Vec<Digest>,
}

/// How busy clients keep this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Guests {
    /// Tests that run for them.
    pub running: u16,
    /// Clients that are served or wait.
    pub clients: u16,
}
