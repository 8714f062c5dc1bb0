//! The Status port: daemons exchange trust statements.
//!
//! The first message of either side is [`TrustYouNow`](StatusMessage::TrustYouNow), and the only one if the other
//! side's key is not trusted. A side that receives it over a link to a trusted key knows that it is trusted in turn,
//! since otherwise the other side would have closed the link. So "do you trust me" needs no message.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::Fingerprint;

/// The maximum number of issuers in one [`Serials`](StatusMessage::Serials) or [`Want`](StatusMessage::Want).
pub const MOST_ISSUERS: usize = 512;

/// The largest statement, in bytes, that fits into the single message accepted from a key that is not trusted.
pub const LARGEST_TO_STRANGERS: usize = 3 << 10;

/// A message on the Status port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusMessage {
    /// The exact bytes of the sender's own statement: sent first, and again whenever it changes.
    TrustYouNow(ByteBuf),
    /// The exact bytes of any key's statement: sent because it was requested, or is new.
    Statement(ByteBuf),
    /// The serials of the statements that the sender has of trusted keys.
    Serials(Vec<Serial>),
    /// A request for the statements of these issuers, as far as the receiver has them.
    Want(Vec<Fingerprint>),
    /// The sender's load.
    Load(Load),
}

/// The serial of one key's statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serial {
    /// The key that issued it.
    pub issuer: Fingerprint,
    /// Its serial.
    pub serial: u64,
}

/// How busy a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Number of tests running now, for any client.
    pub running: u16,
    /// Number of job slots claimed by the machine's own user.
    pub claimed: u16,
    /// Number of clients waiting for their turn.
    pub waiting: u16,
    /// The one-minute load average in hundredths; `None` where the system does not provide it.
    pub average: Option<u32>,
}

impl StatusMessage {
    /// Whether its lists are within the limits.
    pub fn is_within_limits(&self) -> bool {
        match self {
            Self::Serials(serials) => serials.len() <= MOST_ISSUERS,
            Self::Want(issuers) => issuers.len() <= MOST_ISSUERS,
            // The reader of a statement checks its length first.
            Self::TrustYouNow(_) | Self::Statement(_) | Self::Load(_) => true,
        }
    }
}
