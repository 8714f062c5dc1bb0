//! The actor that keeps trust: the ledger's shell. It has an arbiter of its own, so that neither disks nor signatures
//! hold up links.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, Context, Handler, Message, MessageResult, Recipient};
use ed25519_dalek::VerifyingKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::key_of_bytes;
use flotilla_messages::port::local::Consequence;
use flotilla_messages::port::status::{MOST_ISSUERS, Serial};
use flotilla_messages::statement::SignedStatement;
use serde_bytes::ByteBuf;

use super::core::{Effect, Input, MOST_TRUSTED};
use super::ledger::{Handled, Ledger};
use super::obstacle::Obstacle;
use super::refusal::Refusal;
use super::standing::Standing;
use crate::kit::rate_limit::RateLimit;
use crate::kit::shell::{Timed, Timer, run_later};
use crate::kit::{Watched, reactor_now, unix_seconds};
use crate::trust::TrustedKeys;

/// The longest time between two looks at the clock: it may have been set.
const LOOK: Duration = Duration::from_secs(600);
/// This many statements of one issuer are taken in a row, and one each second from then on: one that approves many keys
/// one by one makes a statement for each.
const STATEMENTS: u32 = 64;
/// When a statement that was passed over is asked for.
const ASK: Duration = Duration::from_secs(2);
/// When something that the disk did not take is tried again.
const SAVE: Duration = Duration::from_secs(10);

/// Keeps trust.
pub struct TrustStore {
    ledger: Ledger,
    /// Whom links ask.
    trusted: TrustedKeys,
    orders: Recipient<TrustOrder>,
    decisions: Vec<Recipient<Decision>>,
    refusals: RateLimit,
    /// How fast each issuer's statements come: each is written to the disk.
    pace: BTreeMap<Fingerprint, RateLimit>,
    /// Whose statements are asked for again.
    asking: BTreeSet<Fingerprint>,
    timer: Timer,
    /// Why something is not on disk.
    trouble: Option<String>,
    _watched: Watched,
}

/// What links are to do; to their owner.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum TrustOrder {
    /// This is the own statement from now on: say it to all, and first on every new link.
    Own(ByteBuf),
    /// Send this statement to these keys.
    Tell {
        /// To whom.
        to: Vec<Fingerprint>,
        /// Its exact bytes.
        statement: ByteBuf,
    },
    /// Tell this key what statements there are.
    Introduce {
        /// To whom.
        to: Fingerprint,
        /// Issuers with serials, in messages of at most [`MOST_ISSUERS`].
        serials: Vec<Vec<Serial>>,
    },
    /// Ask for this issuer's statement.
    Ask {
        /// The key that issues the statement.
        issuer: Fingerprint,
        /// Whom to ask; anybody if nobody is named.
        from: Option<Fingerprint>,
    },
    /// Close the links to this key.
    Close {
        /// The key of the peer.
        key: Fingerprint,
        /// What stands in the way of trusting it.
        reason: Obstacle,
    },
}

/// What was decided; to those that look for peers or serve them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Decision {
    /// This key is trusted from now on.
    Trusted(Fingerprint),
    /// It is not any more.
    Distrusted(Fingerprint),
    /// The own statement has this serial.
    Issued(u64),
}

/// Approve this key, barred or not.
#[derive(Message)]
#[rtype(result = "Result<CommandOutcome, CommandError>")]
pub enum Command {
    /// This one.
    Approve([u8; 32]),
    /// The key of this fingerprint, which was seen before.
    ApproveKnown(Fingerprint),
    /// Withdraw that, and bar the key.
    Revoke(Fingerprint),
}

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutcome {
    /// Whether anything has changed.
    pub changed: bool,
    /// Which key it was about.
    pub key: Fingerprint,
    /// What follows for other keys.
    pub follows: Vec<Consequence>,
}

/// Why a command was not done, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// What was given is not a valid key.
    #[error(transparent)]
    Key(#[from] flotilla_messages::fingerprint::KeyError),
    /// The fingerprint is known and the key is not.
    #[error("the key {0} is not known here: approve its file")]
    Unknown(Fingerprint),
    /// Not accepted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is done, and not on disk.
    #[error("it holds only until peerd ends, since it is not on disk ({0}); that is tried again")]
    Unsaved(String),
}

/// What links hear about trust. Answered once its consequences are on disk.
#[derive(Message)]
#[rtype(result = "()")]
pub enum TrustInput {
    /// A statement came over a link of this key; nothing has been checked.
    Statement {
        /// Over whose link.
        from: Fingerprint,
        /// Its bytes.
        bytes: ByteBuf,
    },
    /// A peer lists the statements it has.
    Listed {
        /// Which peer.
        from: Fingerprint,
        /// Issuers with serials.
        serials: Vec<Serial>,
    },
    /// Somebody says that this key's statement has this serial.
    Announced {
        /// The key that issues the statement.
        issuer: Fingerprint,
        /// Its serial.
        serial: u64,
    },
    /// The first link to this key is up.
    LinkUp(Fingerprint),
    /// The last one is down.
    LinkDown(Fingerprint),
}

/// Asks for statements, for a trusted peer.
#[derive(Message)]
#[rtype(result = "Vec<ByteBuf>")]
pub struct GetStatements(pub Vec<Fingerprint>);

/// Asks what is known of every key.
#[derive(Message)]
#[rtype(result = "Standings")]
pub struct GetStandings;

/// What is known of every key.
#[derive(Clone, Debug, Default)]
pub struct Standings {
    /// In the order of their fingerprints.
    pub keys: Vec<Standing>,
    /// How many are trusted.
    pub trusted: usize,
    /// The serial and the end of the own statement.
    pub statement: Option<(u64, u64)>,
    /// What is not on disk, and why.
    pub trouble: Option<String>,
}

/// Asks the actor to end.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopTrustStore;

impl TrustStore {
    /// Keeps this ledger, and tells links in `trusted` at once and everybody else from the start on.
    pub fn new(
        ledger: Ledger,
        trusted: TrustedKeys,
        orders: Recipient<TrustOrder>,
        decisions: Vec<Recipient<Decision>>,
        watched: Watched,
    ) -> Self {
        trusted.replace(ledger.core().trusted().copied());
        let refusals = RateLimit::default();
        Self {
            ledger,
            trusted,
            orders,
            decisions,
            refusals,
            pace: BTreeMap::new(),
            asking: BTreeSet::new(),
            timer: Timer::default(),
            trouble: None,
            _watched: watched,
        }
    }

    /// Takes an input in, and tells everybody what follows. What was refused is the result.
    fn input(&mut self, input: Input, context: &mut Context<Self>) -> (Handled, Option<Refusal>) {
        let mut handled = self.ledger.handle(unix_seconds(), input);
        if let Some(statement) = handled.published.take() {
            self.tell_own(&statement);
        }
        let mut refusal = None;
        for effect in &handled.effects {
            match effect {
                Effect::Refused(refused) => refusal = Some(refused.clone()),
                other => self.perform(other),
            }
        }
        match &handled.unsaved {
            Some(error) => self.in_trouble(error.to_string()),
            // A later record of the same file took the place of the one that was refused.
            None if !self.ledger.has_unsaved() => self.trouble = None,
            None => {}
        }
        self.set_timer(context);
        (handled, refusal)
    }

    /// The recipients are this daemon's own, and what peers drive is waited for by their links.
    fn perform(&mut self, effect: &Effect) {
        match effect {
            Effect::Trust { key, chain } => {
                match chain.as_slice() {
                    [through @ .., _] if !through.is_empty() => {
                        log::info!(target: "trust", "{key} is trusted, through {}", joined(through));
                    }
                    _ => log::info!(target: "trust", "{key} is trusted: approved here"),
                }
                self.trusted.insert(*key);
                self.decide(Decision::Trusted(*key));
            }
            Effect::Distrust { key, reason } => {
                log::info!(target: "trust", "{key} is not trusted any more: {reason}");
                self.trusted.remove(*key);
                self.decide(Decision::Distrusted(*key));
            }
            Effect::Close { key, reason } => {
                self.orders.do_send(TrustOrder::Close { key: *key, reason: reason.clone() });
            }
            Effect::Push { to, statement } => {
                let statement = ByteBuf::from(statement.bytes());
                self.orders.do_send(TrustOrder::Tell { to: to.clone(), statement });
            }
            Effect::Introduce(to) => {
                let all: Vec<Serial> =
                    self.ledger.core().serials().map(|(issuer, serial)| Serial { issuer, serial }).collect();
                let serials = all.chunks(MOST_ISSUERS).map(<[Serial]>::to_vec).collect();
                self.orders.do_send(TrustOrder::Introduce { to: *to, serials });
            }
            Effect::Fetch { issuer, from } => {
                self.orders.do_send(TrustOrder::Ask { issuer: *issuer, from: *from });
            }
            Effect::TrustedBy(key) => {
                log::info!(target: "trust", "{key} trusts this machine, and is not trusted here: peerd approve {key}");
            }
            Effect::Publish(_) | Effect::Store(_) | Effect::Refused(_) => {}
        }
    }

    fn tell_own(&self, statement: &SignedStatement) {
        let (serial, approvals) = (statement.content().serial, statement.content().approvals.len());
        log::info!(target: "trust", "this machine's statement {serial} approves {approvals} keys");
        self.orders.do_send(TrustOrder::Own(ByteBuf::from(statement.bytes())));
        self.decide(Decision::Issued(serial));
    }

    fn decide(&self, decision: Decision) {
        for recipient in &self.decisions {
            recipient.do_send(decision.clone());
        }
    }

    fn in_trouble(&mut self, why: String) {
        if self.trouble.as_ref() != Some(&why) {
            log::error!(target: "trust", "{why}; until it is written, it holds only as long as peerd runs");
        }
        self.trouble = Some(why);
    }

    fn refused(&mut self, from: Option<Fingerprint>, why: &dyn std::fmt::Display) {
        let Some(held_back) = self.refusals.pass(Instant::now()) else { return };
        let more =
            if held_back > 0 { format!(" ({held_back} lines like this left out)") } else { String::new() };
        match from {
            Some(from) => log::warn!(target: "trust", "refused what {from} sent: {why}{more}"),
            None => log::warn!(target: "trust", "refused: {why}{more}"),
        }
    }

    /// Whether one more statement of this issuer may come now.
    fn in_pace(&mut self, issuer: Fingerprint) -> bool {
        if self.pace.len() >= MOST_TRUSTED && !self.pace.contains_key(&issuer) {
            self.pace.clear();
        }
        let pace = self.pace.entry(issuer).or_insert_with(|| RateLimit::in_a_row(STATEMENTS));
        pace.pass(Instant::now()).is_some()
    }

    /// Passes over a statement; what the issuer says by then is asked for a little later.
    fn ask_later(&mut self, from: Fingerprint, issuer: Fingerprint, context: &mut Context<Self>) {
        if !self.asking.insert(issuer) {
            return;
        }
        let why = format!("{issuer} makes new statements faster than they are taken; asking again later");
        self.refused(Some(from), &why);
        run_later(context, ASK, move |this, _| {
            this.asking.remove(&issuer);
            this.orders.do_send(TrustOrder::Ask { issuer, from: Some(from) });
        });
    }

    fn tick(&mut self, context: &mut Context<Self>) {
        if self.ledger.has_unsaved() {
            match self.ledger.save() {
                Ok(published) => {
                    log::info!(target: "trust", "what was not on disk is written");
                    if let Some(statement) = published {
                        self.tell_own(&statement);
                    }
                }
                Err(error) => self.in_trouble(error.to_string()),
            }
        }
        let (_, refusal) = self.input(Input::Tick, context);
        if let Some(refusal) = refusal {
            self.refused(None, &refusal);
        }
    }
}

impl Timed for TrustStore {
    fn timer(&mut self) -> &mut Timer {
        &mut self.timer
    }

    fn due(&self) -> Option<Instant> {
        let now = unix_seconds();
        let due = self.ledger.core().deadline(now);
        let wait = due.map_or(LOOK, |due| Duration::from_secs(due.saturating_sub(now)).min(LOOK));
        Some(reactor_now() + if self.ledger.has_unsaved() { wait.min(SAVE) } else { wait })
    }

    fn on_time(&mut self, context: &mut Context<Self>) {
        self.tick(context);
    }
}

impl Actor for TrustStore {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        // The one on disk, before the first look at the clock may make another.
        if let Some(statement) = self.ledger.published().cloned() {
            self.tell_own(&statement);
        }
        self.tick(context);
    }
}

impl Handler<Command> for TrustStore {
    type Result = Result<CommandOutcome, CommandError>;

    fn handle(&mut self, command: Command, context: &mut Self::Context) -> Self::Result {
        let (key, input) = match command {
            Command::Approve(bytes) => approving(key_of_bytes(&bytes)?),
            Command::ApproveKnown(name) => {
                approving(self.ledger.key(&name).ok_or(CommandError::Unknown(name))?)
            }
            Command::Revoke(name) => (name, Input::Revoke(name)),
        };
        let what = if matches!(input, Input::Revoke(_)) { "revoked" } else { "approved" };
        let (handled, refusal) = self.input(input, context);
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        if handled.changed {
            log::info!(target: "trust", "{key} was {what} here");
        }
        if let Some(error) = handled.unsaved {
            return Err(CommandError::Unsaved(error.to_string()));
        }
        Ok(CommandOutcome { changed: handled.changed, key, follows: follows(&handled.effects, &key) })
    }
}

/// What these effects mean for other keys than this one.
pub fn follows(effects: &[Effect], but: &Fingerprint) -> Vec<Consequence> {
    let of = |effect: &Effect| match effect {
        Effect::Trust { key, .. } if key != but => Some(Consequence { key: *key, lost: None }),
        Effect::Distrust { key, reason } if key != but => {
            Some(Consequence { key: *key, lost: Some(reason.to_string()) })
        }
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn approving(key: VerifyingKey) -> (Fingerprint, Input) {
    (Fingerprint::of(&key), Input::Approve(key))
}

impl Handler<TrustInput> for TrustStore {
    type Result = ();

    fn handle(&mut self, heard: TrustInput, context: &mut Self::Context) {
        let (from, input) = match heard {
            TrustInput::Statement { from, bytes } => match SignedStatement::open(&bytes) {
                Ok(statement) if !self.in_pace(statement.issuer()) => {
                    return self.ask_later(from, statement.issuer(), context);
                }
                Ok(statement) => (Some(from), Input::Statement { from: Some(from), statement }),
                Err(error) => return self.refused(Some(from), &error),
            },
            TrustInput::Listed { from, serials } => {
                let serials = serials.into_iter().map(|Serial { issuer, serial }| (issuer, serial)).collect();
                (Some(from), Input::Listed { from, serials })
            }
            TrustInput::Announced { issuer, serial } => (None, Input::Announced { issuer, serial }),
            TrustInput::LinkUp(key) => (None, Input::LinkUp(key)),
            TrustInput::LinkDown(key) => (None, Input::LinkDown(key)),
        };
        let (_, refusal) = self.input(input, context);
        if let Some(refusal) = refusal {
            self.refused(from, &refusal);
        }
    }
}

impl Handler<GetStatements> for TrustStore {
    type Result = MessageResult<GetStatements>;

    fn handle(&mut self, GetStatements(issuers): GetStatements, _: &mut Self::Context) -> Self::Result {
        let held = issuers.iter().take(MOST_ISSUERS).filter_map(|issuer| self.ledger.statement(issuer));
        MessageResult(held.map(|statement| ByteBuf::from(statement.bytes())).collect())
    }
}

impl Handler<GetStandings> for TrustStore {
    type Result = MessageResult<GetStandings>;

    fn handle(&mut self, _: GetStandings, _: &mut Self::Context) -> Self::Result {
        let core = self.ledger.core();
        MessageResult(Standings {
            keys: core.standings(unix_seconds()),
            trusted: core.trusted().count(),
            statement: self.ledger.published().map(|own| (own.content().serial, own.content().expires)),
            trouble: self.trouble.clone(),
        })
    }
}

impl Handler<StopTrustStore> for TrustStore {
    type Result = ();

    fn handle(&mut self, _: StopTrustStore, context: &mut Self::Context) {
        context.stop();
    }
}

fn joined(names: &[Fingerprint]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
