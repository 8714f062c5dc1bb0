//! The result of a change of trust.

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::Consequence;

/// The result of a change of trust.
pub struct Changed {
    /// Whether anything was changed.
    pub changed: bool,
    /// The key that was approved or revoked.
    pub key: Fingerprint,
    /// The consequences for other keys.
    pub follows: Vec<Consequence>,
}
