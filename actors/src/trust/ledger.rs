//! The core of trust together with what it keeps on disk.

use ed25519_dalek::VerifyingKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::statement::SignedStatement;

use super::core::{Core, Effect, Input, Policy, TrustRecord};
use crate::trust::identity::{Contents, Home, HomeError, Identity};

/// Trust as it is decided and as it is written down. Its holder keeps others from changing the directory
/// meanwhile.
pub struct Ledger {
    home: Home,
    identity: Identity,
    core: Core,
    /// The own statement, as it is on disk.
    published: Option<SignedStatement>,
    /// What the disk did not take, in order; no file twice.
    unsaved: Vec<TrustRecord>,
}

/// What followed from one input.
#[derive(Debug, Default)]
pub struct Handled {
    /// The own statement, if there is a new one and it is on disk: to be sent to all.
    pub published: Option<SignedStatement>,
    /// Whether anything was to be stored, apart from a statement of the own key.
    pub changed: bool,
    /// All but what concerned the disk.
    pub effects: Vec<Effect>,
    /// What the disk said. What it did not take holds as long as this ledger lives, and is
    /// [tried again](Ledger::save).
    pub unsaved: Option<HomeError>,
}

impl Ledger {
    /// Reads what is on disk. Nothing is due before the first [`Input::Tick`], and what was trusted before is no news.
    /// The second value: files that were passed over, with the reason.
    ///
    /// # Errors
    /// [`HomeError`] when there is no identity that can be used, or an approval is not what its name says.
    pub fn open(home: &Home, policy: Policy, now: u64) -> Result<(Self, Vec<String>), HomeError> {
        let identity = home.identity()?;
        let Contents { state, warnings } = home.contents(&identity)?;
        let own = identity.fingerprint();
        let own_ones = state.statements.iter().filter(|statement| statement.issuer() == own);
        let published = own_ones.max_by_key(|statement| statement.content().serial).cloned();
        let mut core = Core::new(identity.public_key(), policy, state);
        core.look(now);
        Ok((Self { home: home.clone(), identity, core, published, unsaved: Vec::new() }, warnings))
    }

    /// Who is trusted, and what is known.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Who this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The own statement, as others may have it.
    pub fn published(&self) -> Option<&SignedStatement> {
        self.published.as_ref()
    }

    /// The statement of this issuer, one's own among them.
    pub fn statement(&self, issuer: &Fingerprint) -> Option<&SignedStatement> {
        self.core
            .held(issuer)
            .or_else(|| self.published.as_ref().filter(|published| published.issuer() == *issuer))
    }

    /// The key of this fingerprint, if it was ever seen, barred or not.
    pub fn key(&self, name: &Fingerprint) -> Option<VerifyingKey> {
        self.core.key(name).or_else(|| self.home.barred_key(name))
    }

    /// Takes one input in and writes down what follows.
    pub fn handle(&mut self, now: u64, input: Input) -> Handled {
        let mut handled = Handled::default();
        let mut effects = Vec::new();
        self.core.handle(now, input, &mut effects);
        for effect in effects {
            let record = match effect {
                Effect::Publish(statement) => match self.identity.sign(statement) {
                    Ok(signed) => TrustRecord::Statement(signed),
                    Err(error) => {
                        handled.unsaved = Some(error);
                        continue;
                    }
                },
                Effect::Store(record) => {
                    handled.changed = true;
                    record
                }
                other => {
                    handled.effects.push(other);
                    continue;
                }
            };
            match self.store(record) {
                Ok(published) => handled.published = published.or(handled.published),
                Err(error) => handled.unsaved = Some(error),
            }
        }
        handled
    }

    /// Whether there is anything that the disk has not taken yet.
    pub fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// Tries again to write what could not be written. The own statement, if it is on disk only now.
    ///
    /// # Errors
    /// What the disk said at the first record that it did not take; those before it are written.
    pub fn save(&mut self) -> Result<Option<SignedStatement>, HomeError> {
        let mut published = None;
        while let Some(record) = self.unsaved.first() {
            self.home.store(record)?;
            let record = self.unsaved.remove(0);
            published = self.stored(&record).or(published);
        }
        Ok(published)
    }

    fn store(&mut self, record: TrustRecord) -> Result<Option<SignedStatement>, HomeError> {
        self.unsaved.retain(|older| file(older) != file(&record));
        match self.home.store(&record) {
            Ok(()) => Ok(self.stored(&record)),
            Err(error) => {
                self.unsaved.push(record);
                Err(error)
            }
        }
    }

    /// The record is on disk; the own statement if it is that.
    fn stored(&mut self, record: &TrustRecord) -> Option<SignedStatement> {
        match record {
            TrustRecord::Statement(statement) if statement.issuer() == self.identity.fingerprint() => {
                self.published = Some(statement.clone());
                self.published.clone()
            }
            _ => None,
        }
    }
}

/// Which file a record concerns.
fn file(record: &TrustRecord) -> (u8, Fingerprint) {
    match record {
        TrustRecord::Approval(key) => (0, Fingerprint::of(key)),
        TrustRecord::NoApproval(key) => (0, *key),
        TrustRecord::Bar(key) | TrustRecord::NoBar(key) => (1, *key),
        TrustRecord::Statement(statement) => (2, statement.issuer()),
        TrustRecord::NoStatement(issuer) => (2, *issuer),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ed25519_dalek::SigningKey;
    use tempfile::TempDir;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn key(n: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[n; 32]).verifying_key()
    }

    fn new() -> (TempDir, Home, Ledger) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.setup().unwrap();
        let ledger = open(&home);
        (dir, home, ledger)
    }

    fn open(home: &Home) -> Ledger {
        Ledger::open(home, Policy::default(), NOW).unwrap().0
    }

    #[test]
    fn a_statement_that_the_disk_does_not_take_is_not_published_before_it_does() {
        let (_dir, home, mut ledger) = new();
        let own = ledger.identity().fingerprint();
        let file = home.path().join("trusted").join(format!("{own}.statement"));
        // A file would be replaced.
        fs::create_dir(&file).unwrap();
        let handled = ledger.handle(NOW, Input::Tick);
        assert!(handled.published.is_none() && ledger.published().is_none());
        assert!(ledger.statement(&own).is_none(), "nobody is given it either");
        let error = handled.unsaved.unwrap().to_string();
        assert!(error.contains(&own.to_string()), "{error}");
        let handled = ledger.handle(NOW + 5, Input::Approve(key(1)));
        assert!(handled.changed && handled.published.is_none() && handled.unsaved.is_some());
        assert!(home.trusted_file(&Fingerprint::of(&key(1))).exists(), "the rest is written");
        assert!(ledger.core().trusts(&Fingerprint::of(&key(1))), "and holds");
        assert!(ledger.save().is_err() && ledger.has_unsaved());
        assert!(open(&home).published().is_none());
        fs::remove_dir(&file).unwrap();
        let saved = ledger.save().unwrap().unwrap();
        assert_eq!(saved.content().approvals, [Fingerprint::of(&key(1))], "the newest one alone");
        assert!(!ledger.has_unsaved() && ledger.save().unwrap().is_none());
        for ledger in [&ledger, &open(&home)] {
            assert_eq!(ledger.published().map(SignedStatement::bytes), Some(saved.bytes()));
        }
        assert_eq!(fs::read(&file).unwrap(), saved.bytes());
    }

    #[test]
    fn of_two_changes_of_one_file_the_later_is_tried_again() {
        let (_dir, home, mut ledger) = new();
        ledger.handle(NOW, Input::Tick);
        let name = Fingerprint::of(&key(1));
        let file = home.trusted_file(&name);
        fs::create_dir(&file).unwrap();
        let handled = ledger.handle(NOW, Input::Approve(key(1)));
        assert!(handled.changed && handled.unsaved.is_some());
        assert!(handled.published.is_some(), "the statement has a file of its own");
        let handled = ledger.handle(NOW + 1, Input::Revoke(name));
        assert!(handled.unsaved.is_some() && ledger.has_unsaved());
        fs::remove_dir(&file).unwrap();
        ledger.save().unwrap();
        assert!(!file.exists(), "an approval that was withdrawn is not written later");
        let again = open(&home);
        assert!(!again.core().trusts(&name));
        assert_eq!(again.published().unwrap().content().approvals, []);
    }

    #[test]
    fn what_is_written_is_what_a_restart_reads() {
        let (_dir, home, mut ledger) = new();
        ledger.handle(NOW, Input::Tick);
        for n in 1..4 {
            ledger.handle(NOW, Input::Approve(key(n)));
        }
        let revoked = Fingerprint::of(&key(2));
        ledger.handle(NOW, Input::Revoke(revoked));
        let mut again = open(&home);
        assert_eq!(again.core().standings(NOW), ledger.core().standings(NOW));
        assert_eq!(again.key(&revoked), Some(key(2)), "a barred key is still known");
        let handled = again.handle(NOW, Input::Tick);
        assert!(!handled.changed && handled.published.is_none(), "nothing new is said after a restart");
        assert!(handled.effects.is_empty(), "{:?}", handled.effects);
    }
}
