//! What is said with one client, from its turn to its end: a state machine without clock, thread or actor.
//!
//! ```text
//! Asked ──Packet──▶ Surveying ◀─────────▶ Receiving ──▶ Preparing ──▶ Working ──▶ Over
//!                       │   all blobs of a round came       ▲
//!                       └───────── nothing is missing ──────┘
//! ```
//!
//! Whatever a client says that is not for it to say then is answered by a refusal that says so, and nothing follows.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use flotilla_messages::inputs::{Digest, Pack};
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::port::work::{
    JudgedRun, MOST_NEWS, MOST_WANTED, NEWS_BYTES, NEWS_WAIT, RemoteEnding, RemoteLease, RemoteNews,
    WorkMessage,
};
use flotilla_messages::{Captured, Fingerprint, Outcome, TestName};

use super::admission::{AdmissionPolicy, admit, confined};
use super::pace::{Pace, least};
use super::patience::Patience;
use crate::execution::executor::{Judged, LeaseResult};

/// Rounds of surveys and blobs: a tree is at most 64 levels deep, and what is found damaged is asked for again.
const MOST_ROUNDS: u32 = 200;

/// Peers from which blobs are fetched at a time.
const MOST_FETCHES: u32 = 2;

/// What happens to a session.
#[derive(Debug)]
pub enum Input {
    /// The client spoke; it is still trusted.
    Said(WorkMessage),
    /// What the survey found missing; nothing: all is here.
    Surveyed(Vec<Digest>),
    /// A pack is stored; this many of the wanted blobs are still to come.
    Stored {
        /// How many blobs.
        left: usize,
    },
    /// A fetch from another peer is over; this many of the wanted blobs are still to come.
    Fetched {
        /// Blobs, those below included.
        left: usize,
        /// What the other peer was to send and did not.
        missing: Vec<Digest>,
    },
    /// The workspace is laid out, the pool is there, the probe has run.
    Prepared,
    /// Laid out it cannot be, as these blobs are gone or damaged.
    Lacking,
    /// Something that has to work does not. Reads well after "cannot work for you: ".
    Broken(String),
    /// A test's process is about to start.
    Started {
        /// Under which lease.
        lease: u64,
        /// Its names.
        name: TestName,
    },
    /// The pool is done with a lease.
    Finished {
        /// The client's number of the lease.
        lease: u64,
        /// How it ended.
        ending: LeaseResult,
    },
    /// This many job slots of this machine are claimed by its own user.
    Claimed(u16),
    /// Whether other clients wait.
    Others(bool),
    /// Time has passed.
    Time,
    /// The client may not be served any more, for this reason.
    Refuse(String),
    /// This daemon ends, for this reason: the client may come back to the next one.
    Stop(String),
    /// The link is no more.
    LinkEnded(String),
}

/// What follows.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Send this.
    Send(WorkMessage),
    /// The packet is in order: it is what the job is about. Then see what is missing of the inputs.
    Admitted(Box<WorkPacket>),
    /// See what is missing of the inputs.
    Survey,
    /// Store this, if all of it was asked for.
    Store(Pack),
    /// Fetch these from another peer.
    Fetch {
        /// The digests of the blobs.
        blobs: Vec<Digest>,
        /// Who has them.
        holder: Fingerprint,
        /// Its address.
        address: SocketAddr,
    },
    /// This is no client but a peer that fetches: send it these, and let the next client's turn come.
    Serve(Vec<Digest>),
    /// Make everything ready for the first lease.
    Prepare,
    /// Run these, in this order.
    Run(Vec<RemoteLease>),
    /// End these, as far as they are not over.
    Withdraw(Vec<u64>),
    /// End the link in order.
    Close(String),
    /// The session is over; the reason reads well after "ended: ". Nothing follows.
    Over(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SessionState {
    Asked,
    Surveying,
    Receiving,
    Preparing,
    Working,
    Over,
}

/// A lease that has not been answered.
#[derive(Debug)]
struct LeasedOut {
    arrived: Instant,
    /// From its arrival to its process's start.
    queued: Option<Duration>,
    keep_output: bool,
}

/// How much a client had done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkDone {
    /// Tests that ran to their end.
    pub ran: u64,
    /// Of these, those that did not end as expected.
    pub unexpected: u64,
    /// Leases that ended otherwise.
    pub others: u64,
}

/// One client's session.
#[derive(Debug)]
pub struct Session {
    policy: AdmissionPolicy,
    patience: Patience,
    state: SessionState,
    rounds: u32,
    /// Packs that are being stored.
    storing: u32,
    /// Other peers from which blobs are fetched.
    fetching: u32,
    /// Job slots of this machine, and how many of them are claimed.
    jobs: u16,
    claimed: u16,
    /// As it was said last, and the most that was ever said.
    credit: u32,
    most_credit: u32,
    /// All that is leased.
    out: BTreeMap<u64, LeasedOut>,
    /// Of these, those that the pool does not have yet.
    queue: VecDeque<RemoteLease>,
    /// Of these, those whose process runs.
    running: u16,
    pace: Pace,
    batch: Batch,
    others: bool,
    /// Until when the client has to do something.
    until: Option<Instant>,
    done: WorkDone,
}

/// News on their way.
#[derive(Debug, Default)]
struct Batch {
    news: Vec<RemoteNews>,
    bytes: usize,
    finished: usize,
    closes: Option<Instant>,
}

impl Session {
    /// It is this client's turn.
    pub fn new(now: Instant, policy: AdmissionPolicy, patience: Patience, jobs: u16, claimed: u16) -> Self {
        Self {
            policy,
            patience,
            state: SessionState::Asked,
            rounds: 0,
            storing: 0,
            fetching: 0,
            jobs: jobs.max(1),
            claimed,
            credit: 0,
            most_credit: 0,
            out: BTreeMap::new(),
            queue: VecDeque::new(),
            running: 0,
            pace: Pace::default(),
            batch: Batch::default(),
            others: false,
            until: Some(now + patience.packet),
            done: WorkDone::default(),
        }
    }

    /// What was done so far.
    pub fn done(&self) -> WorkDone {
        self.done
    }

    /// Processes that run.
    pub fn running(&self) -> u16 {
        self.running
    }

    /// Whether nothing follows any more.
    pub fn is_over(&self) -> bool {
        self.state == SessionState::Over
    }

    /// When [`Input::Time`] is to come.
    pub fn deadline(&self) -> Option<Instant> {
        [self.until, self.batch.closes].into_iter().flatten().min()
    }

    /// One step.
    pub fn handle(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        if self.is_over() {
            return;
        }
        match (input, self.state) {
            (Input::Said(message), _) => self.said(now, message, effects),
            (Input::Surveyed(missing), SessionState::Surveying) => self.surveyed(now, missing, effects),
            (Input::Stored { left }, state) => {
                self.storing = self.storing.saturating_sub(1);
                if state == SessionState::Receiving {
                    self.received(now, left, effects);
                }
            }
            (Input::Fetched { left, missing }, state) => {
                self.fetching = self.fetching.saturating_sub(1);
                if state == SessionState::Receiving {
                    if !missing.is_empty() {
                        effects.push(Effect::Send(WorkMessage::Want(missing)));
                    }
                    self.received(now, left, effects);
                }
            }
            (Input::Prepared, SessionState::Preparing) => {
                self.state = SessionState::Working;
                self.tell_credit(0, effects);
            }
            (Input::Lacking, SessionState::Preparing) => self.survey(effects),
            (Input::Broken(reason), _) => self.refuse(format!("cannot work for you: {reason}"), effects),
            (Input::Refuse(reason), _) => self.refuse(reason, effects),
            (Input::Stop(reason), _) => {
                self.flush(effects);
                effects.push(Effect::Close(reason.clone()));
                self.over(reason, effects);
            }
            (Input::LinkEnded(reason), _) => self.over(reason, effects),
            (Input::Claimed(claimed), state) => {
                self.claimed = claimed;
                if state == SessionState::Working {
                    self.tell_credit(0, effects);
                }
            }
            (Input::Others(others), _) => self.others = others,
            (Input::Time, _) => self.time(now, effects),
            (Input::Started { lease, name }, SessionState::Working) => {
                self.started(now, lease, name, effects);
            }
            (Input::Finished { lease, ending }, SessionState::Working) => {
                self.finished(now, lease, ending, effects);
            }
            // An answer to what is not asked any more.
            _ => {}
        }
        self.pass_on(effects);
        self.watch_idleness(now);
    }

    fn said(&mut self, now: Instant, message: WorkMessage, effects: &mut Vec<Effect>) {
        if !message.is_within_limits() {
            return self.refuse("a message with more entries than are allowed".into(), effects);
        }
        match (message, self.state) {
            (WorkMessage::Packet(bytes), SessionState::Asked) => match admit(&bytes, &self.policy) {
                Ok(packet) => {
                    effects.push(Effect::Admitted(Box::new(packet)));
                    self.survey(effects);
                }
                Err(reason) => self.refuse(reason, effects),
            },
            (WorkMessage::Packet(_), _) => self.refuse("a second work packet".into(), effects),
            (WorkMessage::Pack(pack), SessionState::Receiving) => {
                self.storing += 1;
                self.until = None;
                effects.push(Effect::Store(pack));
            }
            (WorkMessage::Elsewhere { blobs, holder, address }, SessionState::Receiving) => {
                if self.fetching >= MOST_FETCHES {
                    effects.push(Effect::Send(WorkMessage::Want(blobs)));
                } else {
                    self.fetching += 1;
                    self.until = None;
                    effects.push(Effect::Fetch { blobs, holder, address });
                }
            }
            (WorkMessage::Elsewhere { .. }, _) => {
                self.refuse("word of blobs that nobody asked for".into(), effects);
            }
            (WorkMessage::Fetch(blobs), SessionState::Asked) => {
                effects.push(Effect::Serve(blobs));
                self.over("it fetches blobs".into(), effects);
            }
            (WorkMessage::Fetch(_), _) => self.refuse("a client does not fetch".into(), effects),
            (WorkMessage::Pack(_), _) => self.refuse("blobs that nobody asked for".into(), effects),
            (WorkMessage::Assign(leases), SessionState::Working) => self.assign(now, leases, effects),
            (WorkMessage::Withdraw(leases), SessionState::Working) => self.withdraw(now, &leases, effects),
            (WorkMessage::Assign(_) | WorkMessage::Withdraw(_), _) => {
                self.refuse("leases before this machine was ready".into(), effects);
            }
            (WorkMessage::Done, _) => {
                let reason = "done".to_owned();
                effects.push(Effect::Close(reason.clone()));
                self.over(reason, effects);
            }
            (
                WorkMessage::Queue { .. }
                | WorkMessage::Want(_)
                | WorkMessage::Ready { .. }
                | WorkMessage::News(_)
                | WorkMessage::Refused { .. },
                _,
            ) => self.refuse("this is not for a client to say".into(), effects),
        }
    }

    /// Something came, or will not come from where it was looked for.
    fn received(&mut self, now: Instant, left: usize, effects: &mut Vec<Effect>) {
        if left == 0 {
            self.survey(effects);
        } else if self.storing == 0 && self.fetching == 0 {
            self.until = Some(now + self.patience.pack);
        }
    }

    fn survey(&mut self, effects: &mut Vec<Effect>) {
        self.rounds += 1;
        self.until = None;
        if self.rounds > MOST_ROUNDS {
            return self.refuse("the inputs do not become complete".into(), effects);
        }
        self.state = SessionState::Surveying;
        effects.push(Effect::Survey);
    }

    fn surveyed(&mut self, now: Instant, missing: Vec<Digest>, effects: &mut Vec<Effect>) {
        if missing.is_empty() {
            self.state = SessionState::Preparing;
            effects.push(Effect::Prepare);
            return;
        }
        self.state = SessionState::Receiving;
        self.until = Some(now + self.patience.pack);
        let wants = missing.chunks(MOST_WANTED).map(|some| Effect::Send(WorkMessage::Want(some.to_vec())));
        effects.extend(wants);
    }

    /// Job slots for this client: at least one, or it would wait for ever.
    fn slots(&self) -> u16 {
        self.jobs.saturating_sub(self.claimed).max(1)
    }

    /// Tells how many leases may be out, if that is something new; a little more or less than `before` is not.
    fn tell_credit(&mut self, before: u32, effects: &mut Vec<Effect>) {
        let credit = self.pace.credit(self.slots(), before);
        if credit != self.credit {
            self.credit = credit;
            self.most_credit = self.most_credit.max(credit);
            effects.push(Effect::Send(WorkMessage::Ready { credit }));
        }
    }

    fn assign(&mut self, now: Instant, leases: Vec<RemoteLease>, effects: &mut Vec<Effect>) {
        // What was assigned before the client heard of a lower credit is in order.
        if self.out.len() + leases.len() > self.most_credit as usize {
            return self.refuse(format!("more than {} leases at a time", self.most_credit), effects);
        }
        // Not for the first ones, for which no slot could wait.
        if self.done.ran > 0 && self.waiting() == 0 && self.running < self.slots() {
            self.pace.starved();
        }
        for lease in leases {
            let number = lease.lease;
            if self.out.contains_key(&number) {
                return self.refuse(format!("lease {number} twice"), effects);
            }
            let out = LeasedOut { arrived: now, queued: None, keep_output: lease.keep_output };
            self.out.insert(number, out);
            match confined(&lease.case) {
                Ok(()) => self.queue.push_back(lease),
                Err(reason) => {
                    let ending = RemoteEnding::Failed { outcome: Outcome::Fail, reason };
                    self.answer(now, number, ending, effects);
                }
            }
        }
    }

    fn withdraw(&mut self, now: Instant, leases: &[u64], effects: &mut Vec<Effect>) {
        let mut begun = Vec::new();
        for &number in leases {
            // One that is not out has been answered meanwhile.
            if !self.out.contains_key(&number) {
                continue;
            }
            let before = self.queue.len();
            self.queue.retain(|lease| lease.lease != number);
            if self.queue.len() < before {
                self.answer(now, number, RemoteEnding::Withdrawn, effects);
            } else {
                begun.push(number);
            }
        }
        if !begun.is_empty() {
            effects.push(Effect::Withdraw(begun));
        }
    }

    /// Leases that no process runs yet.
    fn waiting(&self) -> usize {
        self.out.len() - usize::from(self.running)
    }

    /// Gives the pool as much as it can take: a queue ahead of its threads unless the own user wants some of these.
    fn pass_on(&mut self, effects: &mut Vec<Effect>) {
        if self.state != SessionState::Working {
            return;
        }
        let most = if self.claimed == 0 { least(self.jobs) as usize } else { usize::from(self.slots()) };
        let there = self.out.len() - self.queue.len();
        let count = most.saturating_sub(there).min(self.queue.len());
        if count > 0 {
            effects.push(Effect::Run(self.queue.drain(..count).collect()));
        }
    }

    fn started(&mut self, now: Instant, lease: u64, name: TestName, effects: &mut Vec<Effect>) {
        let Some(out) = self.out.get_mut(&lease) else { return };
        if out.queued.replace(now.saturating_duration_since(out.arrived)).is_none() {
            self.running += 1;
            self.news(now, RemoteNews::Started { lease, name }, 0, effects);
        }
    }

    fn finished(&mut self, now: Instant, lease: u64, ending: LeaseResult, effects: &mut Vec<Effect>) {
        let Some(out) = self.out.get(&lease) else { return };
        let ending = match ending {
            LeaseResult::Judged(judged) => {
                let Judged { case, mut run } = *judged;
                let expected = case.expectation.allows(run.judgement.outcome);
                self.done.ran += 1;
                self.pace.took(run.output.duration);
                self.done.unexpected += u64::from(!expected);
                if expected && !out.keep_output {
                    run.output.stdout = Captured::default();
                    run.output.stderr = Captured::default();
                }
                RemoteEnding::Judged(run)
            }
            LeaseResult::Failed(failed) => {
                RemoteEnding::Failed { outcome: failed.outcome, reason: failed.reason }
            }
            LeaseResult::Withdrawn => RemoteEnding::Withdrawn,
            LeaseResult::Unable { reason } => RemoteEnding::Unable { reason },
        };
        self.answer(now, lease, ending, effects);
    }

    /// The one answer to a lease.
    fn answer(&mut self, now: Instant, lease: u64, ending: RemoteEnding, effects: &mut Vec<Effect>) {
        let Some(out) = self.out.remove(&lease) else { return };
        self.running -= u16::from(out.queued.is_some());
        let text = match &ending {
            RemoteEnding::Judged(JudgedRun { output, difference, .. }) => {
                let difference = difference.as_ref().map_or(0, String::len);
                output.stdout.bytes.len() + output.stderr.bytes.len() + difference
            }
            RemoteEnding::Failed { reason, .. } | RemoteEnding::Unable { reason } => {
                self.done.others += 1;
                reason.len()
            }
            RemoteEnding::Withdrawn => {
                self.done.others += 1;
                0
            }
        };
        let queued = out.queued.unwrap_or_else(|| now.saturating_duration_since(out.arrived));
        self.news(now, RemoteNews::Finished { lease, ending, queued }, text, effects);
    }

    fn news(&mut self, now: Instant, news: RemoteNews, bytes: usize, effects: &mut Vec<Effect>) {
        // The largest output fits in a frame of its own, not behind another one.
        if self.batch.bytes + bytes > NEWS_BYTES {
            self.flush(effects);
        }
        let batch = &mut self.batch;
        batch.closes.get_or_insert(now + NEWS_WAIT);
        batch.finished += usize::from(matches!(news, RemoteNews::Finished { .. }));
        batch.news.push(news);
        batch.bytes += bytes;
        let full = batch.news.len() >= MOST_NEWS || batch.bytes >= NEWS_BYTES;
        // Waiting with too much credit unreturned, this machine would run out of tests ...
        let returns = batch.finished * 4 >= self.credit as usize;
        // ... and where hardly any wait, the client has no others or does not know that they are wanted.
        let starving = batch.finished > 0 && self.waiting() < usize::from(self.slots());
        if full || returns || starving {
            self.flush(effects);
        }
    }

    fn flush(&mut self, effects: &mut Vec<Effect>) {
        let batch = mem::take(&mut self.batch);
        if !batch.news.is_empty() {
            // First, so that what comes of the news goes by it.
            if self.state == SessionState::Working {
                self.tell_credit(self.credit, effects);
            }
            effects.push(Effect::Send(WorkMessage::News(batch.news)));
        }
    }

    fn time(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.batch.closes.is_some_and(|closes| closes <= now) {
            self.flush(effects);
        }
        if self.until.is_some_and(|until| until <= now) {
            let what = match self.state {
                SessionState::Asked => "no work packet came",
                SessionState::Receiving => "no blobs came",
                _ => "nothing was assigned while others waited",
            };
            self.refuse(format!("{what} in time"), effects);
        }
    }

    /// A client that needs nothing is not to keep others waiting.
    fn watch_idleness(&mut self, now: Instant) {
        if self.state == SessionState::Working {
            let idle = self.out.is_empty() && self.others;
            self.until = if idle { self.until.or(Some(now + self.patience.idle)) } else { None };
        }
    }

    fn refuse(&mut self, reason: String, effects: &mut Vec<Effect>) {
        self.flush(effects);
        effects.push(Effect::Send(WorkMessage::Refused { reason: reason.clone() }));
        effects.push(Effect::Close(reason.clone()));
        self.over(reason, effects);
    }

    fn over(&mut self, reason: String, effects: &mut Vec<Effect>) {
        self.state = SessionState::Over;
        self.until = None;
        self.batch = Batch::default();
        self.out.clear();
        self.queue.clear();
        self.running = 0;
        effects.push(Effect::Over(reason));
    }
}
