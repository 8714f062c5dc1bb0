//! What is said to a peer and what comes of it, decided without clock, socket or actor.
//!
//! ```text
//!  Dialling ──Up──▶ Queued ──Queue { 0 }──▶ Preparing ──Ready──▶ Serving
//!      │               │                        │                  │
//!      └───────────────┴────────────────────────┴──────────────────┴──▶ Over: nothing after it
//! ```
//!
//! The peer is trusted to run tests, not to keep to the protocol: whatever it says, each lease is answered once.

use std::collections::BTreeMap;
use std::mem;

use flotilla_messages::inputs::Digest;
use flotilla_messages::judge::MOST_DIFFERENCE;
use flotilla_messages::port::work::{MOST_LEASES, RemoteEnding, RemoteLease, RemoteNews, WorkMessage};
use flotilla_messages::untrusted::{LONG, untrusted_lines, untrusted_text};
use flotilla_messages::{Outcome, TestCase};

use super::wire_case::size;
use crate::execution::executor::{ExecutorEventKind, Failed, Judged, Lease, LeaseId, LeaseResult};

/// Answers about leases that are not out which a peer may give. Some are honest: a withdrawal may cross a result.
const MOST_STRAY: usize = 1000;
/// The most leases a peer is given at a time, whatever it asks for.
const MOST_CREDIT: u32 = 16_384;
/// The most bytes of cases in one message, unless one case alone has more: small beside what a frame may hold.
const ASSIGN_BYTES: usize = 512 << 10;
/// A case of more bytes is not sent: it might not fit in a frame. Systems start no command that is as long.
const MOST_CASE: usize = 3 << 20;

/// What happens to a proxy.
#[derive(Debug)]
pub enum Input {
    /// Both have said Hello.
    Up,
    /// The peer sent a message.
    Said(WorkMessage),
    /// True: the peer has been silent for some seconds. False: it is not any more.
    Suspected(bool),
    /// The link is over, or was never made.
    Ended {
        /// How the link ended, for people.
        reason: String,
        /// Whether another one may be made.
        again: bool,
    },
    /// The peer is not trusted here any more.
    Distrusted,
    /// Something here stands in the way: a file that was to be sent has changed.
    Trouble(String),
    /// The scheduler leases tests to the peer.
    Assign(Vec<Lease>),
    /// The cases of some leases are there, in the order of the leases.
    Made(Vec<(LeaseId, Made)>),
    /// The scheduler withdraws these leases.
    Withdraw(Vec<LeaseId>),
    /// The scheduler gives this peer up, or the run is over.
    Stop,
}

/// A case, or what stands in the way of one, which is the test's verdict.
pub type Made = Result<Box<TestCase>, Box<Failed>>;

/// What a proxy does.
#[derive(Debug)]
pub enum Effect {
    /// Sign the work packet and send it.
    SendPacket,
    /// Send these blobs.
    SendBlobs(Vec<Digest>),
    /// Make the cases of these leases.
    Make(Vec<Lease>),
    /// Send this to the peer.
    Send(WorkMessage),
    /// Offer the peer to the scheduler.
    Join {
        /// How many leases it takes at a time.
        credit: usize,
    },
    /// The peer serves other clients first.
    Waits {
        /// How many clients.
        ahead: u16,
    },
    /// Tell the scheduler. Only after it was joined.
    News(ExecutorEventKind),
    /// It is over; nothing follows.
    Over {
        /// Why, if it is not because the run is.
        reason: Option<String>,
        /// Whether the peer ran tests at all, or could have.
        joined: bool,
        /// Whether it is worth while to dial it once more.
        again: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProxyState {
    Dialling,
    Queued,
    Preparing,
    Serving,
    /// By word of the scheduler: what is still assigned is answered.
    Stopped,
    /// By the peer or the link: the scheduler has been told.
    Over,
}

/// A lease that is not answered.
#[derive(Debug)]
enum Out {
    /// Its case is being made.
    Making,
    /// The peer has it.
    There { case: Box<TestCase>, withdrawn: bool },
}

/// A proxy without its actor.
#[derive(Debug)]
pub struct Core {
    state: ProxyState,
    /// It was said that the peer works for others first.
    waits: bool,
    keep_output: bool,
    leases: BTreeMap<LeaseId, Out>,
    /// Blobs the peer may still ask for.
    blobs_left: usize,
    stray: usize,
}

impl Core {
    /// For a tree of this many blobs. With `keep_output` the peer is to send what tests print that end as expected.
    pub fn new(blobs: usize, keep_output: bool) -> Self {
        // One that was asked for and got lost there may be asked for again.
        let blobs_left = blobs.saturating_mul(2);
        Self {
            state: ProxyState::Dialling,
            waits: false,
            keep_output,
            leases: BTreeMap::new(),
            blobs_left,
            stray: 0,
        }
    }

    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Assign(leases) => self.assign(leases, effects),
            _ if self.is_over() => {}
            Input::Up if self.state == ProxyState::Dialling => self.state = ProxyState::Queued,
            Input::Up => {}
            Input::Said(message) => self.said(message, effects),
            Input::Ended { reason, again } => self.over(reason, again, effects),
            Input::Trouble(reason) => self.over(reason, false, effects),
            Input::Distrusted => {
                effects.push(Effect::Send(WorkMessage::Done));
                self.over("its key is not trusted here any more".into(), false, effects);
            }
            Input::Suspected(suspected) if self.state == ProxyState::Serving => {
                effects.push(Effect::News(if suspected {
                    ExecutorEventKind::Suspected
                } else {
                    ExecutorEventKind::Recovered
                }));
            }
            Input::Suspected(_) => {}
            Input::Made(made) => self.made(made, effects),
            Input::Withdraw(leases) => self.withdraw(leases, effects),
            Input::Stop => self.stop(effects),
        }
    }

    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ProxyState::Stopped | ProxyState::Over)
    }

    fn said(&mut self, message: WorkMessage, effects: &mut Vec<Effect>) {
        if !message.is_within_limits() {
            return self.violated("a list that is too long", effects);
        }
        match (message, self.state) {
            (WorkMessage::Queue { ahead: 0 }, ProxyState::Queued) => {
                self.state = ProxyState::Preparing;
                effects.push(Effect::SendPacket);
            }
            (WorkMessage::Queue { ahead }, ProxyState::Queued) if !self.waits => {
                self.waits = true;
                effects.push(Effect::Waits { ahead });
            }
            // Others come and go.
            (WorkMessage::Queue { .. }, _) => {}
            (WorkMessage::Want(digests), ProxyState::Preparing) => {
                match self.blobs_left.checked_sub(digests.len()) {
                    Some(left) => {
                        self.blobs_left = left;
                        effects.push(Effect::SendBlobs(digests));
                    }
                    None => self.violated("it asks for blobs without end", effects),
                }
            }
            (WorkMessage::Ready { credit }, ProxyState::Preparing) => {
                self.state = ProxyState::Serving;
                effects.push(Effect::Join { credit: bounded(credit) });
            }
            (WorkMessage::Ready { credit }, ProxyState::Serving) => {
                effects.push(Effect::News(ExecutorEventKind::Ready { credit: bounded(credit) }));
            }
            (WorkMessage::News(news), ProxyState::Serving) => {
                for news in news {
                    self.news(news, effects);
                    if self.is_over() {
                        return;
                    }
                }
            }
            (WorkMessage::Refused { reason }, _) => {
                self.over(format!("it says: {}", untrusted_text(reason, LONG)), false, effects);
            }
            (message, state) => {
                let what = kind(&message);
                self.violated(&format!("{what} is not for it to say now ({state:?})"), effects);
            }
        }
    }

    fn news(&mut self, news: RemoteNews, effects: &mut Vec<Effect>) {
        match news {
            RemoteNews::Started { lease, .. } => match self.leases.get(&LeaseId(lease)) {
                // The name is ours: a peer is not to put words on the screen.
                Some(Out::There { case, .. }) => {
                    let name = case.name.clone();
                    effects.push(Effect::News(ExecutorEventKind::Started { lease: LeaseId(lease), name }));
                }
                _ => self.strayed(effects),
            },
            RemoteNews::Finished { lease, ending, queued } => {
                let lease = LeaseId(lease);
                match self.leases.remove(&lease) {
                    Some(Out::There { case, withdrawn }) => {
                        effects.push(Effect::News(ExecutorEventKind::Queued { lease, queued }));
                        let ending = ended(case, ending, withdrawn);
                        effects.push(Effect::News(ExecutorEventKind::Finished { lease, ending }));
                    }
                    Some(Out::Making) => {
                        self.leases.insert(lease, Out::Making);
                        self.strayed(effects);
                    }
                    None => self.strayed(effects),
                }
            }
        }
    }

    fn assign(&mut self, leases: Vec<Lease>, effects: &mut Vec<Effect>) {
        match self.state {
            ProxyState::Serving => {
                self.leases.extend(leases.iter().map(|lease| (lease.id, Out::Making)));
                effects.push(Effect::Make(leases));
            }
            // The scheduler knows, or will when it has read on.
            ProxyState::Over => {}
            _ => effects.extend(leases.iter().map(|lease| withdrawn(lease.id))),
        }
    }

    fn made(&mut self, made: Vec<(LeaseId, Made)>, effects: &mut Vec<Effect>) {
        let mut ready = Vec::new();
        let mut bytes = 0;
        for (lease, made) in made {
            // Withdrawn meanwhile.
            let Some(out @ Out::Making) = self.leases.get_mut(&lease) else { continue };
            match made {
                Ok(case) => {
                    let size = size(&case);
                    if size > MOST_CASE {
                        self.leases.remove(&lease);
                        let reason = format!("its command of {size} bytes is too long to be sent");
                        let ending = LeaseResult::Unable { reason };
                        effects.push(Effect::News(ExecutorEventKind::Finished { lease, ending }));
                        continue;
                    }
                    if ready.len() >= MOST_LEASES || (bytes + size > ASSIGN_BYTES && !ready.is_empty()) {
                        effects.push(Effect::Send(WorkMessage::Assign(mem::take(&mut ready))));
                        bytes = 0;
                    }
                    bytes += size;
                    let keep_output = self.keep_output;
                    ready.push(RemoteLease { lease: lease.0, case: (*case).clone(), keep_output });
                    *out = Out::There { case, withdrawn: false };
                }
                Err(failed) => {
                    self.leases.remove(&lease);
                    effects.push(Effect::News(ExecutorEventKind::Finished {
                        lease,
                        ending: LeaseResult::Failed(failed),
                    }));
                }
            }
        }
        if !ready.is_empty() {
            effects.push(Effect::Send(WorkMessage::Assign(ready)));
        }
    }

    fn withdraw(&mut self, leases: Vec<LeaseId>, effects: &mut Vec<Effect>) {
        let mut there = Vec::new();
        for lease in leases {
            match self.leases.get_mut(&lease) {
                Some(Out::Making) => {
                    self.leases.remove(&lease);
                    effects.push(withdrawn(lease));
                }
                Some(Out::There { withdrawn, .. }) if !*withdrawn => {
                    *withdrawn = true;
                    there.push(lease.0);
                }
                // Answered already.
                _ => {}
            }
        }
        let said = there.chunks(MOST_LEASES).map(|leases| WorkMessage::Withdraw(leases.to_vec()));
        effects.extend(said.map(Effect::Send));
    }

    fn stop(&mut self, effects: &mut Vec<Effect>) {
        let joined = self.state == ProxyState::Serving;
        if matches!(self.state, ProxyState::Preparing | ProxyState::Serving) {
            effects.push(Effect::Send(WorkMessage::Done));
        }
        self.state = ProxyState::Stopped;
        effects.extend(mem::take(&mut self.leases).into_keys().map(withdrawn));
        effects.push(Effect::Over { reason: None, joined, again: false });
    }

    fn over(&mut self, reason: String, again: bool, effects: &mut Vec<Effect>) {
        let joined = self.state == ProxyState::Serving;
        self.state = ProxyState::Over;
        self.leases.clear();
        if joined {
            effects.push(Effect::News(ExecutorEventKind::Lost { reason: reason.clone() }));
        }
        effects.push(Effect::Over { reason: Some(reason), joined, again });
    }

    fn strayed(&mut self, effects: &mut Vec<Effect>) {
        self.stray += 1;
        if self.stray > MOST_STRAY {
            self.violated("it answers for tests that it was not given", effects);
        }
    }

    fn violated(&mut self, how: &str, effects: &mut Vec<Effect>) {
        self.over(format!("it breaks the protocol: {how}"), false, effects);
    }
}

fn withdrawn(lease: LeaseId) -> Effect {
    Effect::News(ExecutorEventKind::Finished { lease, ending: LeaseResult::Withdrawn })
}

/// What a peer's word about a test means here.
fn ended(case: Box<TestCase>, ending: RemoteEnding, withdrawn: bool) -> LeaseResult {
    match ending {
        RemoteEnding::Judged(mut run) => {
            // The judge's words are the peer's, too.
            run.judgement.why = run.judgement.why.map(|why| untrusted_lines(why, LONG));
            run.difference = run.difference.map(|text| untrusted_lines(text, MOST_DIFFERENCE + LONG));
            LeaseResult::Judged(Box::new(Judged { case: *case, run }))
        }
        RemoteEnding::Failed { outcome, reason } => {
            let outcome = if outcome == Outcome::Crash { Outcome::Crash } else { Outcome::Fail };
            LeaseResult::Failed(Box::new(Failed {
                outcome,
                ..Failed::of(*case, untrusted_lines(reason, LONG))
            }))
        }
        RemoteEnding::Withdrawn if withdrawn => LeaseResult::Withdrawn,
        // Else a peer that gives back what it gets would be given it for ever.
        RemoteEnding::Withdrawn => LeaseResult::Unable { reason: "it gave the test back".into() },
        RemoteEnding::Unable { .. } if withdrawn => LeaseResult::Withdrawn,
        RemoteEnding::Unable { reason } => LeaseResult::Unable { reason: untrusted_text(reason, LONG) },
    }
}

fn bounded(credit: u32) -> usize {
    credit.min(MOST_CREDIT) as usize
}

fn kind(message: &WorkMessage) -> &'static str {
    match message {
        WorkMessage::Queue { .. } => "Queue",
        WorkMessage::Packet(_) => "Packet",
        WorkMessage::Want(_) => "Want",
        WorkMessage::Pack(_) => "Pack",
        WorkMessage::Ready { .. } => "Ready",
        WorkMessage::Assign(_) => "Assign",
        WorkMessage::Withdraw(_) => "Withdraw",
        WorkMessage::News(_) => "News",
        WorkMessage::Elsewhere { .. } => "Elsewhere",
        WorkMessage::Fetch(_) => "Fetch",
        WorkMessage::Done => "Done",
        WorkMessage::Refused { .. } => "Refused",
    }
}
