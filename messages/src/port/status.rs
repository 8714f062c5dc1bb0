//! The Status port: daemons tell each other whom they trust.
//!
//! The first message of either side is [`TrustYouNow`](StatusMessage::TrustYouNow), and for a key that is not trusted
//! it is the only one. A side that hears it over a link of a trusted key knows that it is trusted in turn (the other
//! one would have closed the link), so "do you trust me" needs no message of its own.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::Fingerprint;

/// The most issuers in one [`Serials`](StatusMessage::Serials) or [`Want`](StatusMessage::Want).
pub const MOST_ISSUERS: usize = 512;

/// The largest statement that fits into the one message of a key that is not trusted.
pub const LARGEST_TO_STRANGERS: usize = 3 << 10;

/// All that is said there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusMessage {
    /// The speaker's own statement, its exact bytes: first, and whenever there is a new one.
    TrustYouNow(ByteBuf),
    /// Somebody's statement, its exact bytes: because it was wanted, or is news.
    Statement(ByteBuf),
    /// The statements of trusted keys that the speaker has.
    Serials(Vec<Serial>),
    /// Send the statements of these issuers, if you have them.
    Want(Vec<Fingerprint>),
    /// How busy the speaker is.
    Load(Load),
}

/// One statement that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serial {
    /// The key that issues the statement.
    pub issuer: Fingerprint,
    /// Its serial.
    pub serial: u64,
}

/// How busy a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Tests it runs now, for whomever.
    pub running: u16,
    /// Job slots that its own user has claimed.
    pub claimed: u16,
    /// Clients that wait for their turn.
    pub waiting: u16,
    /// The system's load average over a minute, in hundredths; `None` where the system does not tell.
    pub average: Option<u32>,
}

impl StatusMessage {
    /// Whether its lists are within the limits.
    pub fn is_within_limits(&self) -> bool {
        match self {
            Self::Serials(serials) => serials.len() <= MOST_ISSUERS,
            Self::Want(issuers) => issuers.len() <= MOST_ISSUERS,
            // A statement's reader checks its length before anything else.
            Self::TrustYouNow(_) | Self::Statement(_) | Self::Load(_) => true,
        }
    }
}
