//! The keys that may have links, shared between the one that decides and those that ask.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use flotilla_messages::Fingerprint;

/// A set of keys that changes while links are up. Clones are the same set.
///
/// Asked in the handshake and again at each packet; taking a key out does not close its links by itself before their
/// next packet, a heartbeat at the latest.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(Arc<RwLock<BTreeSet<Fingerprint>>>);

impl TrustedKeys {
    /// Whether the key is in it now.
    pub fn contains(&self, key: Fingerprint) -> bool {
        // A set is whole after each of its operations, whatever panicked meanwhile.
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Replaces the set with these keys.
    pub fn replace(&self, keys: impl IntoIterator<Item = Fingerprint>) {
        let keys = keys.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Adds this key.
    pub fn insert(&self, key: Fingerprint) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Removes this key.
    pub fn remove(&self, key: Fingerprint) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

impl FromIterator<Fingerprint> for TrustedKeys {
    fn from_iter<I: IntoIterator<Item = Fingerprint>>(keys: I) -> Self {
        Self(Arc::new(RwLock::new(keys.into_iter().collect())))
    }
}
