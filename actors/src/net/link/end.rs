//! How links end.

use std::fmt;
use std::time::Duration;

use flotilla_messages::Fingerprint;
use flotilla_messages::wire::Versions;

/// What a link was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The connection and the TLS handshake.
    Handshake,
    /// The peer's Hello.
    Hello,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "TLS handshake",
            Self::Hello => "Hello",
        })
    }
}

/// How a link ended. Its text reads well after "link to 10.0.0.7:9992 ended: ". A peer's words in it are escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The connection could not be made.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The TLS handshake failed, for example because of an unknown key or another program at that port.
    #[error("no TLS handshake: {0}")]
    Insecure(String),
    /// The handshake showed another key than the one that was dialled.
    #[error("it is the key {found} that answers, not {expected}")]
    OtherKey {
        /// The key that answered.
        found: Fingerprint,
        /// The key that was dialled.
        expected: Fingerprint,
    },
    /// Something did not come in time.
    #[error("no {0} came in time")]
    Late(Stage),
    /// This end refused the link.
    #[error("refused: {reason}")]
    RefusedByUs {
        /// The reason, as text for users.
        reason: String,
    },
    /// The peer refused the link.
    #[error("refused by the peer (which speaks protocol version {their_version}): {reason}")]
    RefusedByPeer {
        /// The reason that the peer gave.
        reason: String,
        /// The protocol versions that the peer speaks.
        their_version: Versions,
    },
    /// This end closed the link in order.
    #[error("closed: {0}")]
    Closed(String),
    /// The peer closed the link in order.
    #[error("the peer said Bye: {0}")]
    ByeByPeer(String),
    /// The connection ended without Bye.
    #[error("cut: {0}")]
    Cut(String),
    /// Nothing was received from the peer for this long.
    #[error("the peer was silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// The peer does not read: this many bytes wait for it.
    #[error("the peer does not read: {0} bytes wait for it")]
    Crowded(usize),
    /// The peer sent what the protocol does not allow.
    #[error("the peer broke the protocol: {0}")]
    Violated(String),
}

impl End {
    /// Whether either end announced the end, so that nothing is wrong with the network or with either program.
    pub fn in_order(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::ByeByPeer(_))
    }
}
