//! The actor of a proxy: the core's shell.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, WrapFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::Place;
use flotilla_messages::inputs::{Digest, Pack};
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::port::work::WorkMessage;
use tokio::sync::mpsc;

use super::cases::{CaseMaker, MadeCases, Make};
use super::core::{Core, Effect, Input};
use crate::executor::{ExecutorId, News, Order};
use crate::identity::Identity;
use crate::inputs::{Packs, SendError, Tree};
use crate::link::{self, Admission, Close, Link, LinkEvent, LinkNews, Room, Say, Tls, TlsError, TrustedKeys};
use crate::scheduler::Join;

/// With so many bytes waiting to be sent, the next pack is not made ready.
const AHEAD: usize = 2 << 20;
/// How long the link's last words may take after the proxy has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A peer that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name people know it by.
    pub name: String,
    /// Its Work port.
    pub address: SocketAddr,
    /// Its key; without one, any that is trusted.
    pub key: Option<Fingerprint>,
}

/// What all peers of a run are asked to do.
pub struct Job {
    /// Who asks.
    pub identity: Arc<Identity>,
    /// The keys that may answer where no particular one is expected.
    pub trusted: TrustedKeys,
    /// The inputs.
    pub tree: Arc<Tree>,
    /// Says the rest; recipient, exporter and time are filled in.
    pub packet: WorkPacket,
    /// HEAVY tests at a time on one peer.
    pub max_heavy: usize,
    /// Send what tests print that end as expected.
    pub keep_output: bool,
    /// For the links.
    pub link: Rc<link::Settings>,
    /// Makes cases.
    pub cases: Addr<CaseMaker>,
    /// Gets the proxy's [`Join`].
    pub joins: Recipient<Join>,
    /// Gets its news.
    pub news: Recipient<News>,
    /// Is told how proxies fare.
    pub owner: Recipient<Gone>,
}

/// A proxy has joined the scheduler, or is over.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub enum Gone {
    /// The peer takes part.
    Joined {
        /// Which.
        executor: ExecutorId,
        /// Bytes of packs it was sent.
        sent: u64,
        /// What that took, from the beginning of the dial.
        after: Duration,
    },
    /// It works for others first.
    Waits {
        /// Which.
        executor: ExecutorId,
        /// How many of them there are.
        ahead: u16,
    },
    /// It does not, or not any more.
    Over {
        /// Which.
        executor: ExecutorId,
        /// Why, unless the run is over.
        reason: Option<String>,
        /// Whether it had joined.
        joined: bool,
    },
}

/// The run is over: say Bye.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct End;

/// Speaks with one peer for the scheduler.
pub struct PeerProxy {
    executor: ExecutorId,
    target: Target,
    job: Rc<Job>,
    core: Core,
    link: Option<Addr<Link<WorkMessage>>>,
    /// Who answered, and that connection's own value.
    peer: Option<(Fingerprint, [u8; 32])>,
    /// Blobs to be sent after those that are being sent.
    wanted: VecDeque<Vec<Digest>>,
    sending: bool,
    sent: u64,
    begun: tokio::time::Instant,
    effects: Vec<Effect>,
}

impl PeerProxy {
    /// A proxy for this peer. It dials when it is started.
    pub fn new(executor: ExecutorId, target: Target, job: Rc<Job>) -> Self {
        let core = Core::new(job.tree.files.len() + job.tree.directories.len(), job.keep_output);
        Self {
            executor,
            target,
            job,
            core,
            link: None,
            peer: None,
            wanted: VecDeque::new(),
            sending: false,
            sent: 0,
            begun: tokio::time::Instant::now(),
            effects: Vec::new(),
        }
    }

    fn dial(&mut self, context: &mut Context<Self>) -> Result<(), TlsError> {
        let keys = match self.target.key {
            Some(key) => TrustedKeys::from_iter([key]),
            None => self.job.trusted.clone(),
        };
        let tls = Tls::new(self.job.identity.signing_key(), Admission::TrustedKeys(keys))?;
        let owner = context.address().recipient();
        let settings = Rc::clone(&self.job.link);
        let number = u64::from(self.executor.0);
        self.link = Some(Link::dial(number, self.target.address, self.target.key, &tls, settings, owner));
        Ok(())
    }

    fn handle(&mut self, input: Input, context: &mut Context<Self>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect, context);
        }
        self.effects = effects;
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::SendPacket => self.send_packet(context),
            Effect::SendBlobs(digests) => {
                self.wanted.push_back(digests);
                self.send_blobs(context);
            }
            Effect::Make(leases) => {
                self.job.cases.do_send(Make { leases, to: context.address().recipient() });
            }
            Effect::Say(message) => self.say(message),
            Effect::Join { credit } => {
                self.job.joins.do_send(Join {
                    executor: self.executor,
                    place: Place::Peer(self.target.name.clone()),
                    credit,
                    max_heavy: self.job.max_heavy,
                    orders: context.address().recipient(),
                });
                let (executor, sent, after) = (self.executor, self.sent, self.begun.elapsed());
                self.job.owner.do_send(Gone::Joined { executor, sent, after });
            }
            Effect::Waits { ahead } => {
                self.job.owner.do_send(Gone::Waits { executor: self.executor, ahead });
            }
            Effect::News(what) => self.job.news.do_send(News { executor: self.executor, what }),
            Effect::Over { reason, joined } => {
                let bye = reason.clone().unwrap_or_else(|| "the run is over".into());
                if let Some(link) = &self.link {
                    link.do_send(Close { reason: bye });
                }
                self.wanted.clear();
                self.job.owner.do_send(Gone::Over { executor: self.executor, reason, joined });
            }
        }
    }

    fn send_packet(&mut self, context: &mut Context<Self>) {
        let Some((recipient, exporter)) = self.peer else { return };
        let issued = crate::trust::now();
        let packet = WorkPacket { recipient, exporter, issued, ..self.job.packet.clone() };
        match packet.sign(self.job.identity.signing_key()) {
            Ok(bytes) => self.say(WorkMessage::Packet(bytes.into())),
            // Handled when the effects at hand are done.
            Err(error) => context.notify(Troubled(error.to_string())),
        }
    }

    /// A link that is over, or lets too much pile up, says so itself.
    fn say(&self, message: WorkMessage) {
        if let Some(link) = &self.link {
            link.do_send(Say(message));
        }
    }

    /// Sends what was asked for, one pack after the other, as fast as the peer takes them.
    fn send_blobs(&mut self, context: &mut Context<Self>) {
        if self.sending || self.core.is_over() {
            return;
        }
        let (Some(asked), Some(link)) = (self.wanted.pop_front(), self.link.clone()) else { return };
        self.sending = true;
        let (packed, mut packs) = mpsc::channel(1);
        let tree = Arc::clone(&self.job.tree);
        // Ends at the latest when nobody takes the next pack.
        tokio::task::spawn_blocking(move || pack(&tree, asked, &packed));
        let proxy = context.address();
        let sending = async move {
            while let Some(pack) = packs.recv().await {
                let pack = pack.map_err(|error| error.to_string())?;
                let gone = |_| "its link has ended".to_owned();
                link.send(Room(AHEAD)).await.map_err(gone)?;
                // Answered when it was handed on, so that packs do not pile up on the way.
                proxy.send(Packed(pack)).await.map_err(gone)?;
            }
            Ok(())
        };
        context.spawn(sending.into_actor(self).map(|sent, this, context| {
            this.sending = false;
            match sent {
                Ok(()) => this.send_blobs(context),
                Err(reason) => this.handle(Input::Trouble(reason), context),
            }
        }));
    }
}

/// Packs what was asked for.
fn pack(tree: &Tree, asked: Vec<Digest>, packed: &mpsc::Sender<Result<Pack, SendError>>) {
    match Packs::new(tree, asked) {
        Ok(packs) => {
            for pack in packs {
                if packed.blocking_send(pack).is_err() {
                    return;
                }
            }
        }
        Err(error) => {
            let _ = packed.blocking_send(Err(error));
        }
    }
}

/// Something here went wrong.
#[derive(Message)]
#[rtype(result = "()")]
struct Troubled(String);

/// A pack is ready to be sent.
#[derive(Message)]
#[rtype(result = "()")]
struct Packed(Pack);

impl Actor for PeerProxy {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if let Err(error) = self.dial(context) {
            context.notify(Troubled(error.to_string()));
        }
    }
}

impl Handler<LinkNews<WorkMessage>> for PeerProxy {
    type Result = ();

    fn handle(&mut self, news: LinkNews<WorkMessage>, context: &mut Self::Context) {
        let input = match news.what {
            LinkEvent::Up(up) => {
                self.peer = Some((up.peer, up.exporter));
                Input::Up
            }
            LinkEvent::Message(message) => Input::Said(message),
            LinkEvent::Suspected => Input::Suspected(true),
            LinkEvent::Recovered => Input::Suspected(false),
            LinkEvent::Ended(end) => {
                self.handle(Input::Ended(end.to_string()), context);
                self.link = None;
                return;
            }
        };
        self.handle(input, context);
    }
}

impl Handler<Order> for PeerProxy {
    type Result = ();

    fn handle(&mut self, order: Order, context: &mut Self::Context) {
        let input = match order {
            // They are the run's, which the maker has.
            Order::Assign { leases, cases: _ } => Input::Assign(leases),
            Order::Withdraw(leases) => Input::Withdraw(leases),
            Order::Stop { .. } => Input::Stop,
        };
        self.handle(input, context);
    }
}

impl Handler<MadeCases> for PeerProxy {
    type Result = ();

    fn handle(&mut self, MadeCases(made): MadeCases, context: &mut Self::Context) {
        self.handle(Input::Made(made), context);
    }
}

impl Handler<Troubled> for PeerProxy {
    type Result = ();

    fn handle(&mut self, Troubled(reason): Troubled, context: &mut Self::Context) {
        self.handle(Input::Trouble(reason), context);
    }
}

impl Handler<Packed> for PeerProxy {
    type Result = ();

    fn handle(&mut self, Packed(pack): Packed, _: &mut Self::Context) {
        if !self.core.is_over() {
            self.sent += pack.data.len() as u64;
            self.say(WorkMessage::Pack(pack));
        }
    }
}

impl Handler<End> for PeerProxy {
    type Result = ();

    fn handle(&mut self, _: End, context: &mut Self::Context) {
        self.handle(Input::Stop, context);
        // The link outlives it by its last words.
        context.run_later(LAST_WORDS, |_, context| context.stop());
    }
}
