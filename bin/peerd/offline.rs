//! Reads and changes the trust on disk while no daemon runs.

use ed25519_dalek::VerifyingKey;
use flotilla_actors::daemon::registry::{Clock, view};
use flotilla_actors::kit::unix_seconds;
use flotilla_actors::trust::identity::{Home, Lock};
use flotilla_actors::trust::{Effect, Input, Ledger, Policy, follows};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::PeerView;
use flotilla_messages::wire::SUPPORTED_VERSIONS;

use crate::peerd::changed::Changed;
use crate::peerd::error::CommandError;

/// The trust of a home directory, which is locked meanwhile.
pub struct Offline {
    ledger: Ledger,
    now: u64,
    _lock: Lock,
}

impl Offline {
    /// Locks and reads the home. Warns on standard error of files that are ignored.
    pub fn open(home: &Home, policy: Policy) -> Result<Self, CommandError> {
        let lock = home.lock()?;
        if let Some(pid) = home.running(&lock)? {
            return Err(CommandError::Running(pid));
        }
        let now = unix_seconds();
        // Only the daemon makes changes that are due by time: a command that only reads changes nothing.
        let (ledger, warnings) = Ledger::open(home, policy, now)?;
        for warning in warnings {
            notice!("peerd: warning: {warning}");
        }
        Ok(Self { ledger, now, _lock: lock })
    }

    /// All known keys, as peers.
    pub fn peers(&self) -> Vec<PeerView> {
        let clock = Clock { discovery: None, versions: SUPPORTED_VERSIONS };
        let standings = self.ledger.core().standings(self.now);
        let peers = standings.iter().map(|standing| {
            let mut peer = view(standing.key, None, Some(standing), clock);
            if standing.trust.is_ok() {
                peer.obstacle = Some("peerd does not run here".to_owned());
            }
            peer
        });
        peers.collect()
    }

    /// The fingerprints of all known keys.
    pub fn known(&self) -> impl Iterator<Item = Fingerprint> {
        self.ledger.core().standings(self.now).into_iter().map(|standing| standing.key)
    }

    /// The key of this fingerprint, if it is known.
    pub fn key(&self, name: &Fingerprint) -> Option<VerifyingKey> {
        self.ledger.key(name)
    }

    /// Handles a command about this key, and saves the consequences.
    pub fn change(&mut self, key: Fingerprint, input: Input) -> Result<Changed, CommandError> {
        let handled = self.ledger.handle(self.now, input);
        if let Some(error) = handled.unsaved {
            return Err(error.into());
        }
        for effect in &handled.effects {
            if let Effect::Refused(refusal) = effect {
                return Err(refusal.clone().into());
            }
        }
        Ok(Changed { changed: handled.changed, key, follows: follows(&handled.effects, &key) })
    }
}
