//! The Local port: a runner or the `peerd` command talks to the daemon of the same host. Both ends prove that they
//! hold the host's identity. Questions are answered in order, each by exactly one answer.

use serde::{Deserialize, Serialize};

use super::status::Load;
use crate::Fingerprint;

/// The maximum number of peers on one page.
pub const PEERS_A_PAGE: usize = 64;
/// The maximum number of durations in one message.
pub const MOST_DURATIONS: usize = 4096;
/// The maximum length of a configuration's name and of a reason, in bytes.
pub const LONGEST_TEXT: usize = 1024;

/// A message on the Local port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LocalMessage {
    /// To the daemon.
    Ask(Question),
    /// From the daemon.
    Answer(Box<Answer>),
}

/// A question or order to the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Identity, ports, load and warnings of the daemon.
    Overview,
    /// The known peers, in the order of their fingerprints.
    Peers {
        /// The last fingerprint of the previous page; `None`: start at the first.
        after: Option<Fingerprint>,
    },
    /// Trust this Ed25519 public key.
    Approve {
        /// The key's 32 bytes.
        key: [u8; 32],
    },
    /// Trust the key with this fingerprint, which the daemon must have seen before.
    ApproveKnown {
        /// The key's fingerprint.
        key: Fingerprint,
    },
    /// Withdraw trust from this key, and bar it.
    Revoke {
        /// The key's fingerprint.
        key: Fingerprint,
    },
    /// Record these durations of tests.
    InformDurations {
        /// The configuration (architecture, mode, variant flags) they were measured in: durations of different ones
        /// are kept apart.
        configuration: String,
        /// At most [`MOST_DURATIONS`].
        tests: Vec<TestDuration>,
    },
    /// The recorded durations of tests, in the order of their history keys.
    Durations {
        /// The configuration they were measured in.
        configuration: String,
        /// The last history key of the previous page; `None`: start at the first.
        after: Option<u64>,
    },
    /// This peer did not respond when it was given work: check whether it is still reachable.
    Unresponsive {
        /// The peer's fingerprint.
        peer: Fingerprint,
        /// What the runner observed.
        reason: String,
    },
    /// The speed of this peer relative to this machine.
    UpdatePerformance {
        /// The peer's fingerprint.
        peer: Fingerprint,
        /// Number of tests it finishes while one job slot of this machine finishes 1000.
        permille: u32,
    },
    /// Reserve this many job slots of this machine until this link ends; 0 releases them. Replaces an earlier claim.
    ClaimSlots {
        /// Number of slots to reserve.
        slots: u16,
    },
    /// Shut down.
    Shutdown,
}

/// The daemon's answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// To [`Question::Overview`].
    Overview(Overview),
    /// To [`Question::Peers`].
    Peers {
        /// At most [`PEERS_A_PAGE`].
        page: Vec<PeerView>,
        /// Whether more pages follow.
        more: bool,
    },
    /// To the questions that change trust: [`Question::Approve`], [`Question::ApproveKnown`] and
    /// [`Question::Revoke`].
    Trust {
        /// Whether this changed anything.
        changed: bool,
        /// The key that was approved or revoked.
        key: Fingerprint,
        /// The consequences for other keys; at most [`PEERS_A_PAGE`].
        follows: Vec<Consequence>,
    },
    /// To [`Question::Durations`].
    Durations {
        /// At most [`MOST_DURATIONS`].
        page: Vec<TestDuration>,
        /// Whether more pages follow.
        more: bool,
    },
    /// To [`Question::ClaimSlots`].
    Slots {
        /// Number of slots now reserved for the sender of the claim.
        granted: u16,
        /// Number of slots in total.
        of: u16,
    },
    /// The order was carried out.
    Done,
    /// The order was not carried out.
    Refused {
        /// The reason; reads well after "cannot ...: ".
        reason: String,
    },
}

/// The duration of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestDuration {
    /// The test's history key.
    pub test: u64,
    /// The duration in milliseconds.
    pub millis: u32,
}

/// A consequence of an approval or a revocation for another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// The other key.
    pub key: Fingerprint,
    /// `None`: the key is now trusted. Otherwise the reason why it no longer is.
    pub lost: Option<String>,
}

/// A daemon's view of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// The id of its process.
    pub pid: u32,
    /// The version of its software.
    pub software: String,
    /// Its operating system and architecture.
    pub platform: String,
    /// When it started, in seconds since 1970.
    pub since: u64,
    /// Number of tests it runs at a time.
    pub jobs: u16,
    /// How busy it is.
    pub load: Load,
    /// Its TCP ports.
    pub ports: Vec<PortView>,
    /// Statistics of discovery; `None` if discovery is off.
    pub discovery: Option<HeardView>,
    /// The serial and the expiry (seconds since 1970) of its own statement.
    pub statement: Option<(u64, u64)>,
    /// Number of keys it trusts.
    pub trusted: u32,
    /// Warnings for the user, each a sentence.
    pub warnings: Vec<String>,
}

/// One TCP port of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortView {
    /// The port's name: Local, Work or Status.
    pub name: String,
    /// The address it listens on.
    pub address: String,
    /// Number of links that are up or have presented their key.
    pub links: u32,
    /// Number of connections refused since the start.
    pub refused: u64,
    /// The latest refusals, oldest first.
    pub refusals: Vec<RefusalView>,
}

/// A connection that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalView {
    /// When it was refused, in seconds since 1970.
    pub time: u64,
    /// The address it came from.
    pub address: String,
    /// The key of the other side, if the handshake got that far.
    pub key: Option<Fingerprint>,
    /// The reason for refusing it.
    pub reason: String,
}

/// What discovery has received since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardView {
    /// The daemon's own UDP port.
    pub port: u16,
    /// Number of datagrams with a valid signature.
    pub good: u64,
    /// Number of datagrams with an invalid signature.
    pub forged: u64,
    /// Number of datagrams of another program or version, truncated, or with impossible fields.
    pub malformed: u64,
    /// Number of datagrams dropped because they arrived faster than they could be processed.
    pub dropped: u64,
    /// Number of datagrams older than the newest one of their key, or repeated after the peer left.
    pub replayed: u64,
}

/// A link to a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkView {
    /// There is no link, and none is being made.
    None,
    /// A link is being made.
    Dialling,
    /// The link is up.
    Up {
        /// Whether the peer has been silent for longer than it should be.
        suspected: bool,
    },
    /// The link failed or ended.
    Down {
        /// Why it failed or ended.
        reason: String,
    },
}

/// A daemon's view of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// The address of its Work port: as linked, otherwise as last received by discovery.
    pub address: Option<String>,
    /// Number of tests it runs at a time, as stated by the peer.
    pub jobs: Option<u16>,
    /// Operating system and architecture; known after the first link.
    pub platform: Option<String>,
    /// The version of its software; known after the first link.
    pub software: Option<String>,
    /// How busy it is, if it reported that recently.
    pub load: Option<Load>,
    /// The chain of trust to it: from the key approved on this machine to the peer; empty if it is not trusted.
    pub chain: Vec<Fingerprint>,
    /// The chain by which it trusts this machine: from the key it approves to this machine; empty if no known
    /// statements form one.
    pub trusts_me: Vec<Fingerprint>,
    /// Whether it was revoked on this machine.
    pub barred: bool,
    /// Milliseconds since its last datagram.
    pub heard: Option<u64>,
    /// Whether it is on the network, as far as discovery or a link shows.
    pub present: bool,
    /// The state of the link to it.
    pub link: LinkView,
    /// Why it cannot be used; `None` if it can be.
    pub obstacle: Option<String>,
    /// Its speed as reported by runners, see [`Question::UpdatePerformance`].
    pub performance: Option<u32>,
}
