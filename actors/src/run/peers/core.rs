//! Which peer is dialled when.
//!
//! ```text
//!  Pausing ──PauseOver──▶ Dialled ──Joined──▶ Here ──Over──▶ Pausing or GivenUp
//!     ▲                      │
//!     └────────Over──────────┴──▶ GivenUp: never dialled again
//! ```

use std::time::{Duration, Instant};

use flotilla_messages::amount::bytes;
use flotilla_messages::{Fingerprint, PeerPart};

/// The first pause before a peer is dialled again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A peer that was there this long is not one that comes and goes.
pub(super) const STEADY: Duration = Duration::from_secs(10);
/// Where nothing else runs tests, a peer is dialled this many times more: for seven seconds.
pub(super) const MOST_DIALS_ALONE: u32 = 4;

/// What the core is told.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// The inputs are known: dial these, by name, with the keys that are expected if any.
    Begin(Vec<(String, Option<Fingerprint>)>),
    /// No peer can be used, for this reason.
    Unusable(String),
    /// A proxy reports that its peer has joined the run.
    Joined {
        /// The peer's number.
        peer: usize,
        /// Bytes of packs it was sent.
        sent: u64,
        /// Time since the beginning of the dial.
        after: Duration,
    },
    /// The peer works for this many others first.
    Waits {
        /// The peer's number.
        peer: usize,
        /// Others before this run.
        ahead: u16,
    },
    /// A proxy has ended.
    Over {
        /// The peer's number.
        peer: usize,
        /// The key it showed, if a link was up.
        key: Option<Fingerprint>,
        /// Why, unless the scheduler wants no more of it.
        reason: Option<String>,
        /// Whether it had joined.
        joined: bool,
        /// Whether the peer may come back.
        again: bool,
    },
    /// The pause of this peer is over.
    PauseOver(usize),
    /// This key is not trusted any more.
    Distrusted(Fingerprint),
    /// The run is over.
    End,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Start a proxy for this peer, which has this key.
    Dial {
        /// The peer's number.
        peer: usize,
        /// The key that is to answer, if it is known.
        key: Option<Fingerprint>,
    },
    /// After this long, [`Input::PauseOver`].
    Pause {
        /// The peer's number.
        peer: usize,
        /// How long.
        pause: Duration,
    },
    /// The peer's proxy is to end if this is its peer's key.
    Distrust {
        /// The peer's number.
        peer: usize,
        /// The key.
        key: Fingerprint,
    },
    /// Tell the daemon that the peer with this key does not answer.
    Unresponsive {
        /// The peer's key.
        key: Fingerprint,
        /// What happened.
        reason: String,
    },
    /// For the summary.
    Part {
        /// The peer's name.
        peer: String,
        /// What became of it.
        part: PeerPart,
    },
    /// Something a person should know.
    Notice(String),
    /// No peer is left, and nothing else runs tests. Comes once.
    NoneLeft {
        /// Why none is.
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerState {
    /// Its proxy dials, or waits for its turn.
    Dialled,
    /// It joined at this time, and is still there.
    Here(Instant),
    /// It will be dialled again.
    Pausing,
    /// Nothing is to be expected of it any more.
    GivenUp,
}

#[derive(Debug)]
struct RunPeer {
    name: String,
    key: Option<Fingerprint>,
    state: PeerState,
    /// Whether it has ever joined.
    known: bool,
    /// Why it went after it had joined.
    left: Option<String>,
    /// Dials since it was last there for a while.
    dials: u32,
}

/// How a proxy ended.
struct Gone {
    reason: String,
    joined: bool,
    again: bool,
    /// A link was up.
    answered: bool,
}

/// The peers of one run.
#[derive(Debug)]
pub(super) struct Core {
    peers: Vec<RunPeer>,
    /// Nothing but peers runs tests.
    alone: bool,
    /// Why peers are not used.
    reasons: Vec<String>,
    none_left: bool,
    over: bool,
}

impl Core {
    /// `alone`: no tests run on this machine.
    pub(super) fn new(alone: bool) -> Self {
        Self { peers: Vec::new(), alone, reasons: Vec::new(), none_left: false, over: false }
    }

    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order.
    pub(super) fn handle(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        if self.over {
            return;
        }
        match input {
            Input::Begin(peers) => self.begin(peers, effects),
            Input::Unusable(why) => {
                if !self.alone {
                    effects.push(Effect::Notice(format!("all tests run on this machine: {why}")));
                }
                self.reasons.push(why);
                self.look_whether_any_is_left(effects);
            }
            Input::Joined { peer, sent, after } => self.joined(now, peer, sent, after, effects),
            // Tell the user why most tests run locally.
            Input::Waits { peer, ahead } => {
                if let Some(peer) = self.peers.get(peer) {
                    let text = format!("{} works for others first: {ahead} ahead of this run", peer.name);
                    effects.push(Effect::Notice(text));
                }
            }
            Input::Over { peer, key, reason, joined, again } => {
                if self.left(peer, key) {
                    match reason {
                        Some(reason) => {
                            let gone = Gone { reason, joined, again, answered: key.is_some() };
                            self.gone(now, peer, gone, effects);
                        }
                        None => self.dismissed(peer),
                    }
                    self.look_whether_any_is_left(effects);
                }
            }
            Input::PauseOver(peer) => {
                if self.peers.get(peer).is_some_and(|peer| peer.state == PeerState::Pausing) {
                    self.dial(peer, effects);
                }
            }
            Input::Distrusted(key) => self.distrusted(key, effects),
            Input::End => self.over = true,
        }
    }

    /// The peer's name.
    pub(super) fn name(&self, peer: usize) -> Option<&str> {
        self.peers.get(peer).map(|peer| peer.name.as_str())
    }

    /// The peer's key, once it is known.
    pub(super) fn key(&self, peer: usize) -> Option<Fingerprint> {
        self.peers.get(peer)?.key
    }

    fn begin(&mut self, peers: Vec<(String, Option<Fingerprint>)>, effects: &mut Vec<Effect>) {
        let peer = |(name, key)| RunPeer {
            name,
            key,
            state: PeerState::Pausing,
            known: false,
            left: None,
            dials: 0,
        };
        self.peers = peers.into_iter().map(peer).collect();
        for number in 0..self.peers.len() {
            self.dial(number, effects);
        }
        self.look_whether_any_is_left(effects);
    }

    fn dial(&mut self, number: usize, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(number) else { return };
        let first = peer.dials == 0 && !peer.known;
        peer.dials += 1;
        peer.state = PeerState::Dialled;
        effects.push(Effect::Dial { peer: number, key: peer.key });
        if first {
            effects.push(Effect::Part { peer: peer.name.clone(), part: PeerPart::Asked });
        }
    }

    fn joined(&mut self, now: Instant, number: usize, sent: u64, after: Duration, effects: &mut Vec<Effect>) {
        let dialled = |peer: &&mut RunPeer| peer.state == PeerState::Dialled;
        let Some(peer) = self.peers.get_mut(number).filter(dialled) else { return };
        let again = if peer.known { " again" } else { "" };
        (peer.state, peer.known) = (PeerState::Here(now), true);
        let name = peer.name.clone();
        let seconds = after.as_secs_f64();
        let text = format!("{name} takes part{again}: {} sent, {seconds:.1} s", bytes(sent));
        effects.push(Effect::Part { peer: name, part: PeerPart::Joined { sent } });
        effects.push(Effect::Notice(text));
    }

    /// A proxy has ended; whether its peer was thought to have one.
    fn left(&mut self, number: usize, key: Option<Fingerprint>) -> bool {
        let Some(peer) = self.peers.get_mut(number) else { return false };
        // Another one at that address is another peer.
        peer.key = key.or(peer.key);
        matches!(peer.state, PeerState::Dialled | PeerState::Here(_))
    }

    /// By word of the scheduler, which has said why.
    fn dismissed(&mut self, number: usize) {
        let Some(peer) = self.peers.get_mut(number) else { return };
        peer.state = PeerState::GivenUp;
        self.reasons.push(format!("{} gets no more tests", peer.name));
    }

    fn gone(&mut self, now: Instant, number: usize, gone: Gone, effects: &mut Vec<Effect>) {
        let Gone { reason, joined, again, answered } = gone;
        let here = |peer: &RunPeer| matches!(peer.state, PeerState::Here(_));
        let others = self.peers.iter().enumerate().any(|(other, peer)| other != number && here(peer));
        let Some(peer) = self.peers.get_mut(number) else { return };
        if let (true, Some(key)) = (again, peer.key) {
            effects.push(Effect::Unresponsive { key, reason: reason.clone() });
        }
        if let PeerState::Here(since) = peer.state
            && now.saturating_duration_since(since) >= STEADY
        {
            peer.dials = 0;
        }
        // One that never answered is most likely switched off; one that did may come back.
        let seen = peer.known || answered || (peer.key.is_some() && peer.dials > 1);
        let enough = self.alone && !others && peer.dials > MOST_DIALS_ALONE;
        if again && seen && !enough {
            peer.state = PeerState::Pausing;
            let pause = pause(peer.dials);
            log::info!("{} is dialled again in {:.1} s: {reason}", peer.name, pause.as_secs_f32());
            if joined {
                peer.left = Some(reason.clone());
                let part = PeerPart::Out { reason: reason.clone() };
                effects.push(Effect::Part { peer: peer.name.clone(), part });
                let text = format!("{} is not used any more: {reason}; it is dialled again", peer.name);
                effects.push(Effect::Notice(text));
            }
            effects.push(Effect::Pause { peer: number, pause });
            return;
        }
        peer.state = PeerState::GivenUp;
        let reason = match peer.left.take() {
            Some(left) if !joined => format!("{left}; and then: {reason}"),
            _ => reason,
        };
        let used = if peer.known { "is not used any more" } else { "is not used" };
        let line = format!("{} {used}: {reason}", peer.name);
        effects.push(Effect::Part { peer: peer.name.clone(), part: PeerPart::Out { reason } });
        // Also where nothing runs here: the other peers may do it all.
        effects.push(Effect::Notice(line.clone()));
        self.reasons.push(line);
    }

    fn distrusted(&mut self, key: Fingerprint, effects: &mut Vec<Effect>) {
        for (number, peer) in self.peers.iter_mut().enumerate() {
            match peer.state {
                // The proxy knows whose key it has seen.
                PeerState::Dialled | PeerState::Here(_) => {
                    effects.push(Effect::Distrust { peer: number, key });
                }
                PeerState::Pausing if peer.key == Some(key) => peer.state = PeerState::GivenUp,
                PeerState::Pausing | PeerState::GivenUp => {}
            }
        }
        self.look_whether_any_is_left(effects);
    }

    fn look_whether_any_is_left(&mut self, effects: &mut Vec<Effect>) {
        let none = self.peers.iter().all(|peer| peer.state == PeerState::GivenUp);
        if none && self.alone && !std::mem::replace(&mut self.none_left, true) {
            let reasons = match self.reasons.as_slice() {
                [] => "there are no peers".to_owned(),
                reasons => reasons.join("; "),
            };
            effects.push(Effect::NoneLeft { reason: format!("no peer can be used: {reasons}") });
        }
    }
}

/// The pause after this many dials.
fn pause(dials: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << dials.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}
