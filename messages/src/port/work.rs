//! The Work port: a runner has its tests run by a peer that trusts it.
//!
//! ```text
//!  client                                   peer
//!    |  <------------- Queue { ahead } -------|   until ahead is 0: its turn
//!    |-------------- Packet (signed) -------->|   what it is for; checked before anything else
//!    |  <------------- Want, Want ... --------|   blobs it lacks; directories first, as it walks the tree
//!    |-------------- Pack, Pack ... --------->|
//!    |  <------------- Ready { credit } ------|   the workspace is laid out, the probe has run; again when credit changes
//!    |-------------- Assign, Withdraw ------->|
//!    |  <------------- News [ ... ] ----------|
//!    |-------------- Done ------------------->|   the next client's turn
//! ```
//!
//! **Large blobs from peer to peer.** If another peer of the run already has a blob, a client may answer `Want` with
//! `Elsewhere`. The peer then connects to the Work port of that holder, provided that the two trust each other, and
//! sends `Fetch` instead of waiting for its turn:
//!
//! ```text
//!  peer                                     holder
//!    |--------------- Fetch [ ... ] --------->|   first, whatever Queue it is told
//!    |  <------------- Pack, Pack ... --------|   pieces of blobs that are here; then Bye, or Refused
//! ```
//!
//! Blobs received this way are verified by their digests as always. On any failure the peer sends `Want` to its
//! client again.
//!
//! Either side may end the link with Bye. A link that ends without it counts as lost, and its leases are given out
//! again.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::inputs::{Digest, Pack};
use crate::{Fingerprint, Judgement, Outcome, Output, TestCase, TestName};

/// The maximum number of digests in one [`Want`](WorkMessage::Want).
pub const MOST_WANTED: usize = 4096;
/// The maximum number of leases in one [`Assign`](WorkMessage::Assign) or [`Withdraw`](WorkMessage::Withdraw).
pub const MOST_LEASES: usize = 256;
/// The maximum number of entries in one [`News`](WorkMessage::News); it is sent earlier after [`NEWS_WAIT`] or
/// [`NEWS_BYTES`].
pub const MOST_NEWS: usize = 64;
/// The maximum number of digests in one [`Elsewhere`](WorkMessage::Elsewhere) or [`Fetch`](WorkMessage::Fetch).
pub const MOST_FETCHED: usize = 64;
/// How long an entry may wait for more before the message is sent.
pub const NEWS_WAIT: Duration = Duration::from_millis(50);
/// The maximum number of bytes of output held back before the message is sent.
pub const NEWS_BYTES: usize = 256 << 10;

/// A message on the Work port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WorkMessage {
    /// Peer to client, first and whenever it changes: the client's place in the queue.
    Queue {
        /// Number of clients ahead of this one; 0: it is this client's turn.
        ahead: u16,
    },
    /// Client to peer, when it is the client's turn: its request, the bytes of a signed
    /// [`WorkPacket`](crate::packet::WorkPacket).
    Packet(ByteBuf),
    /// Peer to client: send these blobs.
    Want(Vec<Digest>),
    /// Client to peer: some of the wanted blobs.
    Pack(Pack),
    /// Peer to client: from now on, accept this many leases at a time.
    Ready {
        /// The peer's job slots, plus what a round trip needs.
        credit: u32,
    },
    /// Client to peer: run these tests, in this order.
    Assign(Vec<RemoteLease>),
    /// Client to peer: the results of these leases are no longer needed.
    Withdraw(Vec<u64>),
    /// Peer to client: what happened to leases, in order.
    News(Vec<RemoteNews>),
    /// Client to peer: fetch these blobs from `holder` instead of from me.
    Elsewhere {
        /// Digests of large blobs.
        blobs: Vec<Digest>,
        /// The key of the peer that has them.
        holder: Fingerprint,
        /// The address of the holder's Work port.
        address: SocketAddr,
    },
    /// From another peer, instead of a client: send those of these blobs that are present.
    Fetch(Vec<Digest>),
    /// Client to peer: nothing more will be assigned, and results of open leases are no longer needed.
    Done,
    /// Peer to client: the request is rejected, or can no longer be served. Only Bye follows.
    Refused {
        /// The reason, for people.
        reason: String,
    },
}

/// Permission to run one test once; answered by exactly one [`Finished`](RemoteNews::Finished).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteLease {
    /// The client's number for the lease, not used before on this link.
    pub lease: u64,
    /// The test, with paths below the root.
    pub case: TestCase,
    /// Send the test's output even if its outcome is as expected.
    pub keep_output: bool,
}

/// What happened to a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RemoteNews {
    /// The test's process is about to start.
    Started {
        /// The client's number for the lease.
        lease: u64,
        /// The test's suite, name and variant.
        name: TestName,
    },
    /// The lease has ended. Sent once per lease, unless the link ends first.
    Finished {
        /// The client's number for the lease.
        lease: u64,
        /// How the lease ended.
        ending: RemoteEnding,
        /// The time from the arrival of the lease to the start of the process.
        queued: Duration,
    },
}

/// A process that ran to its end, and the verdict on it. Executors use it too, together with the test case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRun {
    /// What the process did. Sent without text if it ended as expected and [`RemoteLease::keep_output`] is false.
    pub output: Output,
    /// What that means.
    pub judgement: Judgement,
    /// How the output differs from the expected file, if it was compared with one and the outcome is unexpected; of at
    /// most [`MOST_DIFFERENCE`](crate::judge::MOST_DIFFERENCE) bytes and a few lines.
    #[serde(default)]
    pub difference: Option<String>,
}

/// How a lease ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RemoteEnding {
    /// The process ran to its end and was judged.
    Judged(JudgedRun),
    /// The test has no output to judge, and this is its verdict.
    Failed {
        /// FAIL or CRASH.
        outcome: Outcome,
        /// The obstacle, for people.
        reason: String,
    },
    /// The client withdrew the lease.
    Withdrawn,
    /// The peer could not run the test because of a local problem (full disk, no memory, exec format error): no
    /// verdict.
    Unable {
        /// The obstacle, for people.
        reason: String,
    },
}

impl WorkMessage {
    /// Whether its lists are within the limits.
    pub fn is_within_limits(&self) -> bool {
        match self {
            Self::Want(digests) => digests.len() <= MOST_WANTED,
            Self::Elsewhere { blobs: digests, .. } | Self::Fetch(digests) => digests.len() <= MOST_FETCHED,
            Self::Assign(leases) => leases.len() <= MOST_LEASES,
            Self::Withdraw(leases) => leases.len() <= MOST_LEASES,
            Self::News(news) => news.len() <= MOST_NEWS,
            // The readers of packets and packs check their sizes first.
            Self::Queue { .. }
            | Self::Packet(_)
            | Self::Pack(_)
            | Self::Ready { .. }
            | Self::Done
            | Self::Refused { .. } => true,
        }
    }
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
