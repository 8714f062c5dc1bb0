//! Trust as it is on disk, changed while no daemon serves it.

use std::time::SystemTime;

use ed25519_dalek::VerifyingKey;
use flotilla_actors::identity::{Contents, Home, Identity, Lock};
use flotilla_actors::trust::{Core, Effect, Input, Policy, Record, Standing};
use flotilla_messages::Fingerprint;

use crate::commands::CommandError;

/// The home directory, locked, with what follows from it.
pub struct Offline<'a> {
    home: &'a Home,
    identity: Identity,
    core: Core,
    barred: Vec<Fingerprint>,
    now: u64,
    _lock: Lock,
}

impl<'a> Offline<'a> {
    /// Reads it. Warns on standard error of files that are passed over.
    pub fn open(home: &'a Home) -> Result<Self, CommandError> {
        let identity = home.identity()?;
        let lock = home.lock()?;
        if let Some(pid) = home.running(&lock)? {
            return Err(CommandError::Running(pid));
        }
        let Contents { state, warnings } = home.contents(&identity)?;
        for warning in warnings {
            eprintln!("peerd: warning: {warning}");
        }
        let barred = state.barred.clone();
        let mut core = Core::new(identity.public_key(), Policy::default(), state);
        // What is due by time alone is the daemon's: a command that only looks changes nothing.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        core.look(now);
        Ok(Self { home, identity, core, barred, now, _lock: lock })
    }

    /// Every key of which anything is known.
    pub fn standings(&self) -> Vec<Standing> {
        self.core.standings(self.now)
    }

    /// Their fingerprints.
    pub fn known(&self) -> impl Iterator<Item = Fingerprint> {
        self.standings().into_iter().map(|standing| standing.key)
    }

    /// The key of this fingerprint, if it is known.
    pub fn key(&self, name: &Fingerprint) -> Option<VerifyingKey> {
        let barred = || self.barred.contains(name).then(|| self.home.barred_key(name)).flatten();
        self.core.key(name).or_else(barred)
    }

    /// Takes a command in and puts what follows on disk. Links there are none.
    pub fn handle(&mut self, input: Input) -> Result<Vec<Effect>, CommandError> {
        let mut effects = Vec::new();
        self.core.handle(self.now, input, &mut effects);
        for effect in &effects {
            match effect {
                Effect::Publish(statement) => {
                    let signed = self.identity.sign(statement.clone())?;
                    self.home.store(&Record::Statement(signed))?;
                }
                Effect::Store(record) => self.home.store(record)?,
                Effect::Refused(refusal) => return Err(refusal.clone().into()),
                Effect::Trust { .. }
                | Effect::Distrust { .. }
                | Effect::Close { .. }
                | Effect::Push { .. }
                | Effect::Introduce(_)
                | Effect::Fetch { .. }
                | Effect::TrustedBy(_) => {}
            }
        }
        Ok(effects)
    }
}
