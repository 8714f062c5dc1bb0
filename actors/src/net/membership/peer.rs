//! What is known of one peer.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::{Fingerprint, Presence};

/// Whether and how a peer's key is linked to this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Nothing was tried since it last changed.
    None,
    /// It waits for its turn to be dialled.
    Waiting,
    /// A dial is under way.
    Dialling,
    /// A link is up, so the key is proven.
    Linked,
    /// The dial failed or the link was lost.
    Failed {
        /// How many times in a row.
        attempts: u32,
        /// The next dial comes then, or when the peer is heard with another address, port or boot.
        retry: Duration,
    },
}

/// One peer as it was last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its key's name. Until [`Contact::Linked`] nothing but a signature in a datagram speaks for it.
    pub fingerprint: Fingerprint,
    /// What it said last.
    pub presence: Presence,
    /// Where it was heard from, the latest first, port 0; at most four.
    pub addresses: Vec<SocketAddr>,
    /// When it was last heard.
    pub last_heard: Duration,
    /// Whether a link is up.
    pub contact: Contact,
}

impl Peer {
    /// Where its StatusHandler may answer, the likeliest address first.
    pub fn status_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses.iter().map(|address| with_port(*address, self.presence.status_port))
    }

    /// Where its WorkHandler may answer, the likeliest address first.
    pub fn work_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses.iter().map(|address| with_port(*address, self.presence.work_port))
    }
}

/// The same host (and scope, in IPv6) at another port.
pub(super) fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

/// The host without anything that tells two of its sockets apart.
pub(super) fn host(address: SocketAddr) -> SocketAddr {
    let mut address = with_port(address, 0);
    if let SocketAddr::V6(v6) = &mut address {
        v6.set_flowinfo(0);
        if let Some(v4) = v6.ip().to_ipv4_mapped() {
            return (v4, 0).into();
        }
    }
    address
}
