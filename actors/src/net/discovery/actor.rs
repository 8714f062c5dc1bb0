//! The actor between the UDP thread, the core and the owner of the links.

use std::io;
use std::time::{Duration, Instant};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, MessageResult, Recipient};
use ed25519_dalek::SigningKey;
use flotilla_messages::{DatagramKind, Fingerprint, Presence};

use super::sockets::Network;
use super::udp_thread::{DatagramCounters, Received, UdpThread};
use crate::kit::reactor_now;
use crate::kit::shell::{Timed, Timer};
use crate::net::membership::{Core, Counters, Destination, Effect, Input, Peer, Settings, Why};

/// Good datagrams that may wait for the actor; more are dropped and counted.
const MAILBOX: usize = 512;
/// When the receiver of notices had no room, it is told so after this time.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// What this host says of itself that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct OwnState {
    /// Tests it runs at a time.
    pub jobs: u16,
    /// The serial of its newest trust statement.
    pub serial: u64,
}

/// What this host says of itself as long as it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// See [`Presence::boot`]: larger at every start.
    pub boot: u64,
    /// See [`Presence::protocol`].
    pub protocol: (u16, u16),
    /// TCP port of the WorkHandler.
    pub work_port: u16,
    /// TCP port of the StatusHandler.
    pub status_port: u16,
}

/// What [`Discovery`] is started with.
pub struct DiscoverySetup {
    /// This host's identity; it signs every datagram.
    pub key: SigningKey,
    /// What is said of this host.
    pub announced: Announced,
    /// And what of it may change.
    pub state: OwnState,
    /// Where peers meet.
    pub network: Network,
    /// Peers that are told by unicast as well.
    pub static_peers: Vec<std::net::SocketAddr>,
    /// Peers remembered at most.
    pub capacity: usize,
    /// For the jitter.
    pub seed: u64,
    /// Who keeps the links. Sent without waiting: where its mailbox is full, a dial counts as failed and the rest is
    /// replaced by [`Notice::Missed`].
    pub notices: Recipient<Notice>,
}

/// What the owner of the links is told.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Notice {
    /// Try to link to this peer, and answer with [`LinkFeedback`].
    Dial(Peer),
    /// A peer appeared or changed.
    Updated(Peer),
    /// A peer is no longer there.
    Gone {
        /// Whose key.
        fingerprint: Fingerprint,
        /// Why it is not listed any more.
        why: Why,
    },
    /// There was no room for some of these: [`List`] tells how things are.
    Missed,
    /// Discovery cannot go on.
    Failed,
}

/// What the owner of the links tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum LinkFeedback {
    /// A link to this key is up, no matter who dialled.
    Linked(Fingerprint),
    /// A dial did not lead to a link.
    DialFailed {
        /// Whose dial.
        fingerprint: Fingerprint,
        /// Another key answered, or one that speaks another protocol.
        hopeless: bool,
    },
    /// The link to this key is no more.
    LinkLost(Fingerprint),
    /// A link to this key is wanted now, whatever became of the last dial.
    Wanted(Fingerprint),
}

/// Asks who is there.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Census")]
pub struct List;

/// Who is there, and what was heard.
#[derive(Clone, Debug)]
pub struct Census {
    /// In the order of their fingerprints.
    pub peers: Vec<Peer>,
    /// Since the start of this host: what [`Peer::last_heard`] counts from until now.
    pub now: Duration,
    /// Good datagrams that changed nothing.
    pub counters: Counters,
    /// All datagrams.
    pub heard: DatagramCounters,
    /// This host's own UDP port.
    pub unicast_port: u16,
}

/// Says Goodbye to all and closes the sockets; answered once that is sent.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct StopDiscovery;

/// Why discovery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The system gives no sockets, pipes or threads.
    #[error("cannot open this host's own UDP sockets: {0}")]
    Sockets(#[source] io::Error),
}

/// Finds peers, and is found.
pub struct Discovery {
    core: Core,
    /// `None` once this host has left.
    radio: Option<UdpThread>,
    /// Kept for the census after that.
    unicast_port: u16,
    heard: DatagramCounters,
    key: SigningKey,
    announced: Announced,
    state: OwnState,
    sequence: u64,
    began: Instant,
    notices: Recipient<Notice>,
    timer: Timer,
    missed: bool,
}

impl Discovery {
    /// Starts it on the current arbiter, and the thread that reads the sockets.
    ///
    /// # Errors
    /// [`DiscoveryError`] when this host's own sockets cannot be had. An interface that cannot be used is a warning in
    /// the log, and tried again later.
    pub fn start(setup: DiscoverySetup) -> Result<Addr<Self>, DiscoveryError> {
        let DiscoverySetup { key, announced, state, network, static_peers, capacity, seed, notices } = setup;
        let context = Context::new();
        let received = context.address().recipient::<Received>();
        let own_key = key.verifying_key();
        let deliver = move |datagram| received.try_send(datagram).is_ok();
        let radio = UdpThread::start(network, own_key, deliver).map_err(DiscoveryError::Sockets)?;
        let settings = Settings { own: Fingerprint::of(&own_key), static_peers, capacity };
        let core = Core::new(settings, Duration::ZERO, fastrand::Rng::with_seed(seed));
        Ok(context.run(Self {
            core,
            unicast_port: radio.unicast_port,
            radio: Some(radio),
            heard: DatagramCounters::default(),
            key,
            announced,
            state,
            sequence: 0,
            began: reactor_now(),
            notices,
            timer: Timer::default(),
            missed: false,
        }))
    }

    /// The core's time.
    fn since_start(&self) -> Duration {
        reactor_now().saturating_duration_since(self.began)
    }

    fn input(&mut self, input: Input, context: &mut Context<Self>) {
        let now = self.since_start();
        let mut inputs = vec![input];
        let mut effects = Vec::new();
        while let Some(input) = inputs.pop() {
            self.core.handle(now, input, &mut effects);
            for effect in effects.drain(..) {
                let refused = match effect {
                    Effect::Send { to, kind, interval } => {
                        self.send(to, kind, interval, context);
                        continue;
                    }
                    Effect::Dial(peer) => {
                        let fingerprint = peer.fingerprint;
                        self.tell(Notice::Dial(peer), context).then_some(fingerprint)
                    }
                    Effect::Updated(peer) => {
                        self.tell(Notice::Updated(peer), context);
                        None
                    }
                    Effect::Gone { fingerprint, why } => {
                        self.tell(Notice::Gone { fingerprint, why }, context);
                        None
                    }
                };
                inputs.extend(refused.map(|fingerprint| Input::DialFailed { fingerprint, hopeless: false }));
            }
        }
        self.set_timer(context);
    }

    /// Peers drive this, so it never queues without bound. Says whether there was no room.
    fn tell(&mut self, notice: Notice, context: &mut Context<Self>) -> bool {
        let refused = self.notices.try_send(notice).is_err();
        if refused && !self.missed {
            self.missed = true;
            context.run_later(TELL_AGAIN, |this, context| {
                this.missed = false;
                this.tell(Notice::Missed, context);
            });
        }
        refused
    }

    fn send(&mut self, to: Destination, kind: DatagramKind, interval: u16, context: &mut Context<Self>) {
        let Some(radio) = &self.radio else { return };
        self.sequence += 1;
        let presence = Presence {
            boot: self.announced.boot,
            sequence: self.sequence,
            interval,
            protocol: self.announced.protocol,
            work_port: self.announced.work_port,
            status_port: self.announced.status_port,
            unicast_port: radio.unicast_port,
            jobs: self.state.jobs,
            serial: self.state.serial,
        };
        if radio.send(to, presence.sign(kind, &self.key).to_vec()).is_err() {
            log::error!("the discovery thread has ended; peers are no longer found");
            self.radio = None;
            self.tell(Notice::Failed, context);
        }
    }
}

impl Timed for Discovery {
    fn timer(&mut self) -> &mut Timer {
        &mut self.timer
    }

    fn due(&self) -> Option<Instant> {
        self.core.wakes_at().map(|at| self.began + at)
    }

    fn on_time(&mut self, context: &mut Context<Self>) {
        self.input(Input::Tick, context);
    }
}

impl Actor for Discovery {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX);
        self.set_timer(context);
    }
}

impl Message for Received {
    type Result = ();
}

impl Handler<Received> for Discovery {
    type Result = ();

    fn handle(&mut self, Received { datagram, from, way }: Received, context: &mut Self::Context) {
        self.input(Input::Heard { datagram, from, way }, context);
    }
}

impl Handler<LinkFeedback> for Discovery {
    type Result = ();

    fn handle(&mut self, tell: LinkFeedback, context: &mut Self::Context) {
        let input = match tell {
            LinkFeedback::Linked(fingerprint) => Input::Linked(fingerprint),
            LinkFeedback::DialFailed { fingerprint, hopeless } => Input::DialFailed { fingerprint, hopeless },
            LinkFeedback::LinkLost(fingerprint) => Input::LinkLost(fingerprint),
            LinkFeedback::Wanted(fingerprint) => Input::Wanted(fingerprint),
        };
        self.input(input, context);
    }
}

impl Handler<OwnState> for Discovery {
    type Result = ();

    fn handle(&mut self, state: OwnState, context: &mut Self::Context) {
        if self.state != state {
            self.state = state;
            self.input(Input::OwnChanged, context);
        }
    }
}

impl Handler<List> for Discovery {
    type Result = MessageResult<List>;

    fn handle(&mut self, _: List, _: &mut Self::Context) -> Self::Result {
        MessageResult(Census {
            peers: self.core.peers().collect(),
            now: self.since_start(),
            counters: self.core.counters(),
            heard: self.radio.as_ref().map_or(self.heard, UdpThread::heard),
            unicast_port: self.unicast_port,
        })
    }
}

impl Handler<StopDiscovery> for Discovery {
    type Result = ();

    /// Waits for the thread, which sends what is queued and ends: some microseconds.
    fn handle(&mut self, _: StopDiscovery, context: &mut Self::Context) {
        self.input(Input::Stop, context);
        if let Some(radio) = self.radio.take() {
            self.heard = radio.heard();
        }
    }
}
