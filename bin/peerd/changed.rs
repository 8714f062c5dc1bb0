//! What a change of trust leads to.

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::Consequence;

/// What a change of trust led to.
pub struct Changed {
    /// Whether anything was changed.
    pub changed: bool,
    /// Which key it was about.
    pub key: Fingerprint,
    /// What followed for others.
    pub follows: Vec<Consequence>,
}
