//! Why a key is not trusted, for people.

use std::fmt;

use flotilla_messages::Fingerprint;

/// Why a key is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It was revoked here.
    Barred,
    /// It is reached only by a chain, and chains are off.
    ChainsOff,
    /// It is reached only by a chain that is too long.
    TooDeep {
        /// The number of keys in the chain.
        keys: u32,
        /// The most keys that a chain may have.
        limit: u32,
    },
    /// Approved in this key's statement, which is not valid now.
    Stale(Fingerprint),
    /// No trusted key approves it.
    NotApproved,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Barred => f.write_str("revoked here"),
            Self::ChainsOff => f.write_str("approved by a trusted key only, and chains are off"),
            Self::TooDeep { keys, limit } => {
                write!(f, "reached by a chain of {keys} keys, and the limit is {limit}")
            }
            Self::Stale(issuer) => write!(f, "approved by {issuer}, whose statement has expired"),
            Self::NotApproved => f.write_str("approved neither here nor by a trusted key"),
        }
    }
}
