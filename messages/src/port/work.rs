//! The Work port: a runner of a trusted peer has its tests run here.
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
//! **Large blobs from peer to peer.** A client whose blob another peer of the run has already may answer `Want` by
//! `Elsewhere`. The peer connects to that one's Work port, if each of the two trusts the other, and says `Fetch` instead of
//! waiting for its turn:
//!
//! ```text
//!  peer                                     holder
//!    |--------------- Fetch [ ... ] --------->|   first, whatever Queue it is told
//!    |  <------------- Pack, Pack ... --------|   pieces of blobs that are here; then Bye, or Refused
//! ```
//!
//! What comes is verified by its digest as always. Whatever goes wrong, the peer says `Want` to its client once more.
//!
//! Either side may end the link by Bye; a link that ends without is a cut, and what was leased is leased again.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::inputs::{Digest, Pack};
use crate::{Fingerprint, Judgement, Outcome, Output, TestCase, TestName};

/// The most digests in one [`Want`](WorkMessage::Want).
pub const MOST_WANTED: usize = 4096;
/// The most leases in one [`Assign`](WorkMessage::Assign) or [`Withdraw`](WorkMessage::Withdraw).
pub const MOST_LEASES: usize = 256;
/// The most news in one message; it closes sooner after [`NEWS_WAIT`] or [`NEWS_BYTES`].
pub const MOST_NEWS: usize = 64;
/// The most digests in one [`Elsewhere`](WorkMessage::Elsewhere) or [`Fetch`](WorkMessage::Fetch).
pub const MOST_FETCHED: usize = 64;
/// The longest time that news waits for more.
pub const NEWS_WAIT: Duration = Duration::from_millis(50);
/// The most bytes of output that wait for more.
pub const NEWS_BYTES: usize = 256 << 10;

/// All that is said there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WorkMessage {
    /// The peer, first and whenever it changes: this many clients come before this one; 0: it is its turn.
    Queue {
        /// Clients before this one.
        ahead: u16,
    },
    /// The client, when it is its turn: what is to be done, the bytes of a signed
    /// [`WorkPacket`](crate::packet::WorkPacket).
    Packet(ByteBuf),
    /// The peer: send these blobs.
    Want(Vec<Digest>),
    /// The client: some of them.
    Pack(Pack),
    /// The peer: from now on this many leases may be out at a time.
    Ready {
        /// Its job slots, and what a round trip needs.
        credit: u32,
    },
    /// The client: run these, in this order.
    Assign(Vec<RemoteLease>),
    /// The client: these are of no interest any more.
    Withdraw(Vec<u64>),
    /// The peer: what became of leases, in order.
    News(Vec<RemoteNews>),
    /// Client to peer: fetch these blobs from `holder` instead of from me.
    Elsewhere {
        /// Large ones.
        blobs: Vec<Digest>,
        /// The key of who has them.
        holder: Fingerprint,
        /// Its Work port.
        address: SocketAddr,
    },
    /// Another peer, in place of a client: send these blobs, if they are here.
    Fetch(Vec<Digest>),
    /// The client: nothing more will be assigned, and nothing that is out is of interest.
    Done,
    /// The peer: it will not be, or not any longer. Nothing follows it but Bye.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// The right and the duty to run one test once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteLease {
    /// The client's number for it, not used before on this link.
    pub lease: u64,
    /// The test, with paths below the root.
    pub case: TestCase,
    /// Send what it prints even if it ends as expected.
    pub keep_output: bool,
}

/// What became of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RemoteNews {
    /// Its process is about to be started.
    Started {
        /// The client's number of the lease.
        lease: u64,
        /// The test's names.
        name: TestName,
    },
    /// It has ended. Once for each lease, unless the link ends before.
    Finished {
        /// The client's number of the lease.
        lease: u64,
        /// How the lease ended.
        ending: RemoteEnding,
        /// From the lease's arrival to its process's start.
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
    /// There is nothing to judge, and that is the test's verdict.
    Failed {
        /// FAIL or CRASH.
        outcome: Outcome,
        /// What stood in the way.
        reason: String,
    },
    /// It was withdrawn.
    Withdrawn,
    /// This machine could not run it, for reasons of its own (full disk, no memory, exec format error): no verdict.
    Unable {
        /// Why, for people.
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
            // A packet's and a pack's readers check their sizes before anything else.
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
