//! The decisions about trust.
//!
//! Time is an argument, in seconds since 1970. Equal inputs give equal effects.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::statement::{LIFETIME, MOST_APPROVALS, SKEW, SignedStatement, Statement};

use super::closure::Closure;
use super::obstacle::Obstacle;
use super::refusal::Refusal;

/// How often the own statement is renewed, in seconds: daily, so that six renewals may fail.
pub const RENEWAL: u64 = 24 * 60 * 60;

/// The most keys that are trusted at a time, the nearest ones first. Bounds what one careless or hostile peer can
/// make everybody else remember.
pub const MOST_TRUSTED: usize = 2048;

/// The most statements that are kept, in memory only, of keys that trust us and are not trusted.
pub const MOST_STRANGERS: usize = 64;

/// At least this long, in seconds, between own statements that answer a foreign use of the own key: two machines
/// with one key must not outbid each other all day.
const ANSWER: u64 = 60 * 60;

/// How far trust goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether the approvals of trusted keys count at all.
    pub transitive: bool,
    /// How long a chain may be: 1 is a key approved here. 0 counts as 1.
    pub depth: u32,
}

impl Default for Policy {
    /// Chains of up to four keys.
    fn default() -> Self {
        Self { transitive: true, depth: 4 }
    }
}

impl Policy {
    /// The depth that follows.
    pub(super) fn limit(self) -> u32 {
        if self.transitive { self.depth.max(1) } else { 1 }
    }
}

/// What is kept on disk, as it is read when the program starts. Signatures have been verified.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Keys approved here.
    pub approvals: Vec<VerifyingKey>,
    /// Keys revoked here. One that is approved as well, because a change was cut short, is barred.
    pub barred: Vec<Fingerprint>,
    /// The latest statement of each issuer, the own key included; expired ones too.
    pub statements: Vec<SignedStatement>,
}

/// What happens to the core.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time has passed. To be said at the start and whenever [`Core::deadline`] is reached.
    Tick,
    /// A person here approves this key, barred or not.
    Approve(VerifyingKey),
    /// A person here withdraws that and bars the key.
    Revoke(Fingerprint),
    /// How far trust goes from now on.
    Policy(Policy),
    /// A statement came.
    Statement {
        /// Over which link, if any: it is not sent back there.
        from: Option<Fingerprint>,
        /// The statement.
        statement: SignedStatement,
    },
    /// Somebody says that this key's statement has this serial. A hint only.
    Announced {
        /// The key that issues the statement.
        issuer: Fingerprint,
        /// Its serial.
        serial: u64,
    },
    /// A peer lists the statements it has.
    Listed {
        /// Which peer.
        from: Fingerprint,
        /// Issuers with serials.
        serials: Vec<(Fingerprint, u64)>,
    },
    /// A link to this key is up.
    LinkUp(Fingerprint),
    /// The last link to this key is down.
    LinkDown(Fingerprint),
}

/// One change of what is on disk. Replaying all of them gives the state again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustRecord {
    /// This key is approved here.
    Approval(VerifyingKey),
    /// It is not any more.
    NoApproval(Fingerprint),
    /// This key is barred.
    Bar(Fingerprint),
    /// It is not any more.
    NoBar(Fingerprint),
    /// The latest statement of its issuer.
    Statement(SignedStatement),
    /// This issuer's statement need not be kept.
    NoStatement(Fingerprint),
}

/// What the core has decided, to be done in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Sign this statement, store it, then send it to all live links. If storing fails, it must not be sent.
    Publish(Statement),
    /// Change what is on disk.
    Store(TrustRecord),
    /// This key is trusted from now on.
    Trust {
        /// The key of the peer.
        key: Fingerprint,
        /// Through whom: the key approved here first, the key itself last.
        chain: Vec<Fingerprint>,
    },
    /// This key is not trusted any more.
    Distrust {
        /// The key of the peer.
        key: Fingerprint,
        /// What stands in the way of trusting it.
        reason: Obstacle,
    },
    /// Close the links to this key.
    Close {
        /// The key of the peer.
        key: Fingerprint,
        /// What stands in the way of trusting it.
        reason: Obstacle,
    },
    /// Send this statement to these live links.
    Push {
        /// To whom.
        to: Vec<Fingerprint>,
        /// The signed statement.
        statement: SignedStatement,
    },
    /// Send the own statement and [`Core::serials`] to this link.
    Introduce(Fingerprint),
    /// Ask for this key's statement.
    Fetch {
        /// The key that issues the statement.
        issuer: Fingerprint,
        /// Whom to ask; anybody if nobody is named.
        from: Option<Fingerprint>,
    },
    /// A key that is not trusted here trusts this machine.
    TrustedBy(Fingerprint),
    /// Something was not accepted; to be logged, or told to the one who asked for it.
    Refused(Refusal),
}

/// The trust of one machine, without its actor.
#[derive(Debug)]
pub struct Core {
    pub(super) own: VerifyingKey,
    pub(super) own_name: Fingerprint,
    pub(super) policy: Policy,
    pub(super) approvals: BTreeMap<Fingerprint, VerifyingKey>,
    pub(super) barred: BTreeSet<Fingerprint>,
    /// The latest of each issuer that is or was trusted.
    pub(super) statements: BTreeMap<Fingerprint, SignedStatement>,
    /// Of keys that trust us and are not trusted; each approves the own key.
    pub(super) strangers: BTreeMap<Fingerprint, SignedStatement>,
    /// The own statement.
    issued: Option<Statement>,
    /// The highest serial seen on a statement of the own key.
    serial: u64,
    live: BTreeSet<Fingerprint>,
    pub(super) trusted: Closure,
    /// When the consequences were last taken, unless something has changed since.
    settled: Option<u64>,
}

impl Core {
    /// The trust of the machine with this key. Nobody is trusted before the first
    /// [`Input::Tick`] or [`look`](Self::look).
    pub fn new(own: VerifyingKey, policy: Policy, state: State) -> Self {
        let own_name = Fingerprint::of(&own);
        let mut core = Self {
            own,
            own_name,
            policy,
            approvals: state.approvals.into_iter().map(|key| (Fingerprint::of(&key), key)).collect(),
            barred: state.barred.into_iter().collect(),
            statements: BTreeMap::new(),
            strangers: BTreeMap::new(),
            issued: None,
            serial: 0,
            live: BTreeSet::new(),
            trusted: Closure::default(),
            settled: None,
        };
        core.approvals.remove(&own_name);
        core.barred.remove(&own_name);
        for statement in state.statements {
            let (issuer, serial) = (statement.issuer(), statement.content().serial);
            if issuer == own_name {
                if core.issued.is_none() || serial > core.serial {
                    core.serial = serial;
                    core.issued = Some(statement.content().clone());
                }
            } else if core.held_serial(&issuer).is_none_or(|held| held < serial) {
                core.statements.insert(issuer, statement);
            }
        }
        core
    }

    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, now: u64, input: Input, effects: &mut Vec<Effect>) {
        let accepted = match input {
            Input::Tick => Ok(()),
            Input::Approve(key) => self.approve(key, effects),
            Input::Revoke(key) => self.revoke(key, effects),
            Input::Policy(policy) => {
                self.policy = policy;
                self.settled = None;
                Ok(())
            }
            Input::Statement { from, statement } => self.statement(now, from, statement, effects),
            Input::Announced { issuer, serial } => {
                self.fetch_newer(issuer, serial, None, effects);
                Ok(())
            }
            Input::Listed { from, serials } => self.listed(from, serials, effects),
            Input::LinkUp(key) => {
                // Trust may have ended by time alone since the last input.
                self.settle(now, effects);
                self.link_up(now, key, effects);
                Ok(())
            }
            Input::LinkDown(key) => {
                self.live.remove(&key);
                Ok(())
            }
        };
        if let Err(refusal) = accepted {
            effects.push(Effect::Refused(refusal));
        }
        self.settle(now, effects);
    }

    /// Computes who is trusted at this time and does nothing about it: to look at only, or before the first
    /// input when what was trusted before is not news.
    pub fn look(&mut self, now: u64) {
        self.trusted = self.closure(now, self.policy.limit());
    }

    /// Whether this key is trusted, as of the last input.
    pub fn trusts(&self, key: &Fingerprint) -> bool {
        self.trusted.contains(key)
    }

    /// The trusted keys, in order, as of the last input.
    pub fn trusted(&self) -> impl Iterator<Item = &Fingerprint> {
        self.trusted.keys()
    }

    /// Through whom this key is trusted: a key approved here first, the key itself last.
    pub fn chain(&self, key: &Fingerprint) -> Option<Vec<Fingerprint>> {
        self.trusted.chain(key)
    }

    /// The key of this fingerprint, if anything that was seen holds it.
    pub fn key(&self, name: &Fingerprint) -> Option<VerifyingKey> {
        let of = |statements: &BTreeMap<_, SignedStatement>| Some(statements.get(name)?.content().issuer);
        if *name == self.own_name {
            return Some(self.own);
        }
        self.approvals.get(name).copied().or_else(|| of(&self.statements)).or_else(|| of(&self.strangers))
    }

    /// The statement of this issuer, to be given to a trusted peer that asks. Not the own one.
    pub fn held(&self, issuer: &Fingerprint) -> Option<&SignedStatement> {
        self.statements.get(issuer)
    }

    /// The statements of trusted keys: issuers with serials, in order.
    pub fn serials(&self) -> impl Iterator<Item = (Fingerprint, u64)> {
        self.trusted.keys().filter_map(|key| Some((*key, self.held_serial(key)?)))
    }

    /// The own statement, as it was last published.
    pub fn issued(&self) -> Option<&Statement> {
        self.issued.as_ref()
    }

    /// When time alone changes something next, in seconds since 1970.
    pub fn deadline(&self, now: u64) -> Option<u64> {
        let renewal = self.issued.iter().map(|issued| issued.issued.saturating_add(RENEWAL));
        let turns = self.statements.values().chain(self.strangers.values()).flat_map(|statement| {
            let content = statement.content();
            [content.issued.saturating_sub(SKEW), content.expires, forgotten(statement)]
        });
        renewal.chain(turns).filter(|turn| *turn > now).min()
    }

    fn approve(&mut self, key: VerifyingKey, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let name = Fingerprint::of(&key);
        if name == self.own_name {
            return Err(Refusal::OwnKey(name));
        }
        if key.is_weak() {
            return Err(Refusal::WeakKey(name));
        }
        if !self.approvals.contains_key(&name) {
            if self.approvals.len() >= MOST_APPROVALS {
                return Err(Refusal::TooManyApprovals);
            }
            self.approvals.insert(name, key);
            self.settled = None;
            effects.push(Effect::Store(TrustRecord::Approval(key)));
        }
        // Last: if the machine stops in between, the key is still barred.
        if self.barred.remove(&name) {
            self.settled = None;
            effects.push(Effect::Store(TrustRecord::NoBar(name)));
        }
        Ok(())
    }

    fn revoke(&mut self, key: Fingerprint, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        if key == self.own_name {
            return Err(Refusal::OwnKey(key));
        }
        // First: if the machine stops in between, the key is barred already.
        if self.barred.insert(key) {
            self.settled = None;
            effects.push(Effect::Store(TrustRecord::Bar(key)));
        }
        if self.approvals.remove(&key).is_some() {
            effects.push(Effect::Store(TrustRecord::NoApproval(key)));
        }
        self.strangers.remove(&key);
        Ok(())
    }

    fn statement(
        &mut self,
        now: u64,
        from: Option<Fingerprint>,
        statement: SignedStatement,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let (issuer, serial) = (statement.issuer(), statement.content().serial);
        if issuer == self.own_name {
            return self.own_statement(now, &statement, effects);
        }
        if self.barred.contains(&issuer) {
            return Err(Refusal::Barred(issuer));
        }
        statement.check_time(now).map_err(Refusal::Time)?;
        let held = self.statements.get(&issuer).or_else(|| self.strangers.get(&issuer));
        if let Some(held) = held {
            let held_serial = held.content().serial;
            if held.bytes() == statement.bytes() {
                return Ok(());
            }
            if serial == held_serial {
                return Err(Refusal::TwoWithOneSerial { issuer, serial });
            }
            if serial < held_serial {
                return Err(Refusal::Older { issuer, serial, held: held_serial });
            }
        }
        if self.trusted.contains(&issuer) || self.statements.contains_key(&issuer) {
            let to: Vec<_> =
                self.live.iter().copied().filter(|key| *key != issuer && Some(*key) != from).collect();
            self.keep(statement.clone(), effects);
            if self.trusted.contains(&issuer) && !to.is_empty() {
                effects.push(Effect::Push { to, statement });
            }
            return Ok(());
        }
        self.stranger(issuer, statement, effects)
    }

    /// Keeps, in memory, that a key which is not trusted trusts us; nothing else that it says.
    fn stranger(
        &mut self,
        issuer: Fingerprint,
        statement: SignedStatement,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let known = self.strangers.remove(&issuer).is_some();
        if !statement.approves(&self.own_name) {
            return Err(Refusal::Stranger(issuer));
        }
        if self.strangers.len() >= MOST_STRANGERS {
            let ends =
                |(key, statement): (&Fingerprint, &SignedStatement)| (statement.content().expires, *key);
            if let Some((_, first)) = self.strangers.iter().map(ends).min() {
                self.strangers.remove(&first);
            }
        }
        self.strangers.insert(issuer, statement);
        if !known {
            effects.push(Effect::TrustedBy(issuer));
        }
        Ok(())
    }

    /// A statement of the own key came from elsewhere.
    fn own_statement(
        &mut self,
        now: u64,
        statement: &SignedStatement,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let serial = statement.content().serial;
        if serial < self.serial || self.issued.as_ref() == Some(statement.content()) {
            return Ok(());
        }
        self.serial = serial;
        // The others have it and will refuse whatever has a lower serial.
        if self.issued.as_ref().is_none_or(|issued| now >= issued.issued.saturating_add(ANSWER)) {
            self.publish(now, effects);
        }
        Err(Refusal::OwnKeyElsewhere { serial })
    }

    fn listed(
        &self,
        from: Fingerprint,
        serials: Vec<(Fingerprint, u64)>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.trusted.contains(&from) {
            return Err(Refusal::Stranger(from));
        }
        // One question an issuer, however often it is listed.
        for (issuer, serial) in serials.into_iter().collect::<BTreeMap<_, _>>() {
            self.fetch_newer(issuer, serial, Some(from), effects);
        }
        Ok(())
    }

    fn fetch_newer(
        &self,
        issuer: Fingerprint,
        serial: u64,
        from: Option<Fingerprint>,
        effects: &mut Vec<Effect>,
    ) {
        let newer = self.held_serial(&issuer).is_none_or(|held| serial > held);
        if newer && self.trusted.contains(&issuer) {
            effects.push(Effect::Fetch { issuer, from });
        }
    }

    fn link_up(&mut self, now: u64, key: Fingerprint, effects: &mut Vec<Effect>) {
        if !self.trusted.contains(&key) {
            effects.push(Effect::Close { key, reason: self.obstacle(now, &self.whole(now), &key) });
        } else if self.live.insert(key) {
            effects.push(Effect::Introduce(key));
        }
    }

    /// Takes the consequences of whatever has changed, time included. Costs nothing when nothing has: what is
    /// refused, however much of it, makes nobody search the graph more than once a second.
    fn settle(&mut self, now: u64, effects: &mut Vec<Effect>) {
        if self.settled == Some(now) {
            return;
        }
        if self.publish_is_due(now) {
            self.publish(now, effects);
        }
        self.strangers.retain(|_, statement| now < statement.content().expires);
        let before = std::mem::take(&mut self.trusted);
        loop {
            self.trusted = self.closure(now, self.policy.limit());
            // What a key said as a stranger counts as soon as it is trusted.
            let Some(key) = self.strangers.keys().copied().find(|key| self.trusted.contains(key)) else {
                break;
            };
            if let Some(statement) = self.strangers.remove(&key) {
                self.keep(statement, effects);
            }
        }
        let lost: Vec<_> = before.keys().copied().filter(|key| !self.trusted.contains(key)).collect();
        let whole = if lost.is_empty() { Closure::default() } else { self.whole(now) };
        for key in &lost {
            let reason = self.obstacle(now, &whole, key);
            effects.push(Effect::Distrust { key: *key, reason: reason.clone() });
            if self.live.remove(key) {
                effects.push(Effect::Close { key: *key, reason });
            }
        }
        for key in self.trusted.keys().filter(|key| !before.contains(key)) {
            let chain = self.trusted.chain(key).unwrap_or_default();
            effects.push(Effect::Trust { key: *key, chain });
            if self.statements.get(key).is_none_or(|held| held.check_time(now).is_err()) {
                effects.push(Effect::Fetch { issuer: *key, from: None });
            }
        }
        self.forget(now, effects);
        self.settled = Some(now);
    }

    /// All that is reached at this depth by the statements that are valid now.
    pub(super) fn closure(&self, now: u64, depth: u32) -> Closure {
        Closure::reach(
            self.approvals.keys().copied(),
            |issuer| {
                let statement =
                    self.statements.get(issuer).filter(|statement| statement.check_time(now).is_ok());
                statement.map(|statement| statement.content().approvals.as_slice())
            },
            |key| *key == self.own_name || self.barred.contains(key),
            depth,
            MOST_TRUSTED,
        )
    }

    fn own_approvals(&self) -> impl Iterator<Item = Fingerprint> {
        self.approvals.keys().copied().filter(|key| !self.barred.contains(key))
    }

    fn publish_is_due(&self, now: u64) -> bool {
        let Some(issued) = &self.issued else { return true };
        let old = now >= issued.issued.saturating_add(RENEWAL);
        // The clock was wrong when it was made: others may refuse it for as long.
        let early = issued.issued > now.saturating_add(SKEW);
        old || early || !self.own_approvals().eq(issued.approvals.iter().copied())
    }

    fn publish(&mut self, now: u64, effects: &mut Vec<Effect>) {
        // No lower than the time, so that a machine restored from an old backup is heard again at once.
        let Some(serial) = self.serial.checked_add(1).map(|next| next.max(now)) else {
            effects.push(Effect::Refused(Refusal::NoSerialLeft));
            return;
        };
        let statement = Statement::new(self.own, serial, now, self.own_approvals());
        self.serial = serial;
        self.issued = Some(statement.clone());
        effects.push(Effect::Publish(statement));
    }

    fn keep(&mut self, statement: SignedStatement, effects: &mut Vec<Effect>) {
        let issuer = statement.issuer();
        if self.statements.len() >= MOST_TRUSTED && !self.statements.contains_key(&issuer) {
            // No more than that many are trusted and the issuer is one of them, so another one is not.
            let gone = self.statements.iter().filter(|(key, _)| !self.trusted.contains(key));
            if let Some((_, first)) = gone.map(|(key, kept)| (kept.content().expires, *key)).min() {
                self.statements.remove(&first);
                effects.push(Effect::Store(TrustRecord::NoStatement(first)));
            }
        }
        self.settled = None;
        effects.push(Effect::Store(TrustRecord::Statement(statement.clone())));
        self.statements.insert(issuer, statement);
    }

    /// Drops statements of keys that are not trusted, once every lower serial has expired as well: until then it
    /// is what keeps a withdrawn approval from coming back.
    fn forget(&mut self, now: u64, effects: &mut Vec<Effect>) {
        let trusted = &self.trusted;
        self.statements.retain(|issuer, statement| {
            let kept = trusted.contains(issuer) || now < forgotten(statement);
            if !kept {
                effects.push(Effect::Store(TrustRecord::NoStatement(*issuer)));
            }
            kept
        });
    }

    fn held_serial(&self, issuer: &Fingerprint) -> Option<u64> {
        self.statements.get(issuer).map(|statement| statement.content().serial)
    }
}

/// When nobody accepts an earlier statement of the same issuer any more, whatever its clock said within reason.
fn forgotten(statement: &SignedStatement) -> u64 {
    statement.content().expires.saturating_add(LIFETIME + SKEW)
}
