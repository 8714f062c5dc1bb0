//! The Local port: a runner or the `peerd` command asks this host's own daemon. Both prove that they hold the host's
//! identity. Questions are answered in their order, each by one answer.

use serde::{Deserialize, Serialize};

use super::status::Load;
use crate::Fingerprint;

/// The most peers on one page.
pub const PEERS_A_PAGE: usize = 64;
/// The most durations in one message.
pub const MOST_DURATIONS: usize = 4096;
/// The longest name of a configuration, and the longest reason, in bytes.
pub const LONGEST_TEXT: usize = 1024;

/// All that is said there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LocalMessage {
    /// To the daemon.
    Ask(Question),
    /// From it.
    Answer(Box<Answer>),
}

/// What the daemon is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Who are you, and how are you?
    Overview,
    /// The peers behind this one, in the order of their fingerprints; without one, from the beginning.
    Peers {
        /// The last one that is known already.
        after: Option<Fingerprint>,
    },
    /// Trust this Ed25519 public key.
    Approve {
        /// Its 32 bytes.
        key: [u8; 32],
    },
    /// Trust the key of this fingerprint, which was seen before.
    ApproveKnown {
        /// Which.
        key: Fingerprint,
    },
    /// Withdraw trust from this key, and bar it.
    Revoke {
        /// Which.
        key: Fingerprint,
    },
    /// These tests took this long.
    InformDurations {
        /// Under which configuration (architecture, mode, variant flags): durations of different ones do not mix.
        configuration: String,
        /// At most [`MOST_DURATIONS`].
        tests: Vec<TestDuration>,
    },
    /// How long do tests take, as far as runners have told? Those behind this one, in the order of their keys.
    Durations {
        /// Under which configuration.
        configuration: String,
        /// The last one that is known already.
        after: Option<u64>,
    },
    /// This peer did not answer when it was given work: look whether it is still there.
    Unresponsive {
        /// Which.
        peer: Fingerprint,
        /// How it showed.
        reason: String,
    },
    /// This peer is so fast, compared with this machine.
    UpdatePerformance {
        /// Which.
        peer: Fingerprint,
        /// Tests it finishes in the time in which one job slot of this machine finishes 1000.
        permille: u32,
    },
    /// Keep this many job slots of this machine for me until this link ends; 0 gives them back. Replaces an earlier claim.
    ClaimSlots {
        /// How many.
        slots: u16,
    },
    /// End.
    Shutdown,
}

/// What the daemon answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// To [`Question::Overview`].
    Overview(Overview),
    /// To [`Question::Peers`].
    Peers {
        /// At most [`PEERS_A_PAGE`].
        page: Vec<PeerView>,
        /// Whether there are more.
        more: bool,
    },
    /// To what concerns trust.
    Trust {
        /// Whether anything has changed by it.
        changed: bool,
        /// The key it was about.
        key: Fingerprint,
        /// What follows for other keys; at most [`PEERS_A_PAGE`].
        follows: Vec<Consequence>,
    },
    /// To [`Question::Durations`].
    Durations {
        /// At most [`MOST_DURATIONS`].
        page: Vec<TestDuration>,
        /// Whether there are more.
        more: bool,
    },
    /// To [`Question::ClaimSlots`].
    Slots {
        /// How many are kept for the asker now.
        granted: u16,
        /// Of how many.
        of: u16,
    },
    /// It is done.
    Done,
    /// It is not done.
    Refused {
        /// Why; reads well after "cannot ...: ".
        reason: String,
    },
}

/// How long a test takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestDuration {
    /// The test's history key.
    pub test: u64,
    /// Milliseconds.
    pub millis: u32,
}

/// What followed for another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// Which.
    pub key: Fingerprint,
    /// `None`: it is trusted now. Else why it is not any more.
    pub lost: Option<String>,
}

/// A daemon, as it sees itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Its key's name.
    pub fingerprint: Fingerprint,
    /// Its process.
    pub pid: u32,
    /// The version of its software.
    pub software: String,
    /// Its operating system and architecture.
    pub platform: String,
    /// When it started, in seconds since 1970.
    pub since: u64,
    /// Tests it runs at a time.
    pub jobs: u16,
    /// How busy it is.
    pub load: Load,
    /// Its ports: name and address.
    pub ports: Vec<PortView>,
    /// Whether discovery runs, and what it heard.
    pub discovery: Option<HeardView>,
    /// The serial and the end (seconds since 1970) of its own statement.
    pub statement: Option<(u64, u64)>,
    /// How many keys it trusts.
    pub trusted: u32,
    /// What a person should know, each a sentence.
    pub warnings: Vec<String>,
}

/// One TCP port of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortView {
    /// Local, Work or Status.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// Links that are up or have shown their key.
    pub links: u32,
    /// Connections refused since the start.
    pub refused: u64,
    /// The last ones, oldest first.
    pub refusals: Vec<RefusalView>,
}

/// A connection that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalView {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Where it came from.
    pub address: String,
    /// Whose it was, if the handshake told.
    pub key: Option<Fingerprint>,
    /// Why.
    pub reason: String,
}

/// What discovery heard since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardView {
    /// The daemon's own UDP port.
    pub port: u16,
    /// Datagrams with a good signature.
    pub good: u64,
    /// Datagrams whose signature is wrong.
    pub forged: u64,
    /// Datagrams of another program or version, cut, or with impossible fields.
    pub malformed: u64,
    /// Datagrams that came faster than they could be worked off.
    pub dropped: u64,
    /// Datagrams that were said before.
    pub replayed: u64,
}

/// A link to a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkView {
    /// None, and none is tried.
    None,
    /// One is being made.
    Dialling,
    /// It is up; whether the peer has been silent for longer than it should be.
    Up {
        /// It has been.
        suspected: bool,
    },
    /// It failed or ended.
    Down {
        /// Why.
        reason: String,
    },
}

/// A peer, as the daemon sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Its key's name.
    pub fingerprint: Fingerprint,
    /// The address of its Work port: where it was linked, else where it was heard last.
    pub address: Option<String>,
    /// Tests it runs at a time, as it says.
    pub jobs: Option<u16>,
    /// Operating system and architecture; known once there was a link.
    pub platform: Option<String>,
    /// The version of its software; likewise.
    pub software: Option<String>,
    /// How busy it is, if it said so lately.
    pub load: Option<Load>,
    /// Through whom it is trusted, the key approved here first and the peer last; empty if it is not.
    pub chain: Vec<Fingerprint>,
    /// How it trusts this machine: whom it approves first, this machine last; empty if it did not say so.
    pub trusts_me: Vec<Fingerprint>,
    /// Whether it was revoked here.
    pub barred: bool,
    /// How many milliseconds ago it was heard over UDP.
    pub heard: Option<u64>,
    /// Whether it is on the network as far as discovery or a link tells.
    pub present: bool,
    /// The link to it.
    pub link: LinkView,
    /// Why it cannot be used; `None`: it can.
    pub obstacle: Option<String>,
    /// What runners said of its speed, see [`Question::UpdatePerformance`].
    pub performance: Option<u32>,
}
