//! The actor of a proxy: the core's shell.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, WrapFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::Place;
use flotilla_messages::inputs::{Digest, Pack};
use flotilla_messages::packet::{Engine, WorkPacket};
use flotilla_messages::port::work::{MOST_FETCHED, WorkMessage};
use tokio::sync::mpsc;

use super::cases::{CaseMaker, MadeCases, Make};
use super::core::{Core, Effect, Input};
use super::exchange::{Exchange, Grant, Grants, Holder, LARGE};
use super::transfer::{self, Transfer};
use super::wire_case::relocate;
use crate::content::inputs::{Packs, SendError, Tree};
use crate::execution::executor::{ExecutorEvent, ExecutorId, Order};
use crate::kit::reactor_now;
use crate::kit::shell::CoreActor;
use crate::net::link::{
    self, Admission, Close, Link, LinkEvent, LinkNews, SendMessage, Tls, TlsError, WaitForCapacity,
};
use crate::run::scheduler::Join;
use crate::trust::TrustedKeys;
use crate::trust::identity::Identity;

/// With this many bytes waiting to be sent, the next pack is not made ready.
const AHEAD: usize = 2 << 20;
/// How long a peer waits for others to have a large blob before it is sent one.
const WAITS: Duration = Duration::from_secs(20);
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
pub struct JobTerms {
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
    pub news: Recipient<ExecutorEvent>,
    /// Is told how proxies fare.
    pub owner: Recipient<ProxyEvent>,
    /// Who gets large blobs from where.
    pub exchange: RefCell<Exchange>,
    /// All proxies that have asked for large blobs.
    pub askers: RefCell<BTreeMap<ExecutorId, Recipient<Granted>>>,
}

/// Where a peer gets blobs from.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Granted(Grant);

/// A proxy has joined the scheduler, or is over.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub enum ProxyEvent {
    /// Inputs are on their way to it. At most once a second, and if at all, with as much sent as asked for when it has
    /// joined or is over.
    Sending {
        /// To which.
        executor: ExecutorId,
        /// Bytes of files handed on.
        sent: u64,
        /// Bytes of files it has asked for.
        total: u64,
    },
    /// The peer has joined the run.
    Joined {
        /// The executor number of the proxy.
        executor: ExecutorId,
        /// Whose key it showed.
        key: Option<Fingerprint>,
        /// Bytes of packs it was sent.
        sent: u64,
        /// What that took, from the beginning of the dial.
        after: Duration,
    },
    /// It works for others first.
    Waits {
        /// The executor number of the proxy.
        executor: ExecutorId,
        /// How many of them there are.
        ahead: u16,
    },
    /// It does not, or not any more.
    Over {
        /// The executor number of the proxy.
        executor: ExecutorId,
        /// Whose key it showed, if a link was up.
        key: Option<Fingerprint>,
        /// Why, unless the run is over.
        reason: Option<String>,
        /// Whether it had joined.
        joined: bool,
        /// Whether the peer may come back: its link was cut, or it is being restarted.
        again: bool,
    },
}

/// This peer is not trusted here any more: end with it.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Distrust(pub Fingerprint);

/// The run is over: say Bye.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndProxy;

/// Speaks with one peer for the scheduler.
pub struct PeerProxy {
    executor: ExecutorId,
    target: Target,
    job: Rc<JobTerms>,
    core: Core,
    link: Option<Addr<Link<WorkMessage>>>,
    /// Who answered, and that connection's own value.
    peer: Option<(Fingerprint, [u8; 32])>,
    transfer: Transfer,
    begun: tokio::time::Instant,
    effects: Vec<Effect>,
}

impl PeerProxy {
    /// A proxy for this peer. It dials when it is started.
    pub fn new(executor: ExecutorId, target: Target, job: Rc<JobTerms>) -> Self {
        let core = Core::new(job.tree.files.len() + job.tree.directories.len(), job.keep_output);
        Self {
            executor,
            target,
            job,
            core,
            link: None,
            peer: None,
            transfer: Transfer::default(),
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

    /// Whose key was shown, if a link was up.
    fn key(&self) -> Option<Fingerprint> {
        self.peer.map(|(key, _)| key)
    }

    fn send_packet(&mut self, context: &mut Context<Self>) {
        let Some((recipient, exporter)) = self.peer else { return };
        let issued = crate::kit::unix_seconds();
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
            link.do_send(SendMessage(message));
        }
    }

    fn transfer(&mut self, input: transfer::Input, context: &mut Context<Self>) {
        let mut effects = Vec::new();
        self.transfer.handle(reactor_now(), input, &mut effects);
        for effect in effects {
            match effect {
                transfer::Effect::Send(digests) => self.send_blobs(digests, context),
                transfer::Effect::Report { sent, total } => {
                    self.job.owner.do_send(ProxyEvent::Sending { executor: self.executor, sent, total });
                }
            }
        }
    }

    fn send_own(&mut self, digests: Vec<Digest>, context: &mut Context<Self>) {
        if digests.is_empty() {
            return;
        }
        let bytes = digests.iter().map(|digest| self.job.tree.size(digest)).sum();
        self.transfer(transfer::Input::Queue { digests, bytes }, context);
    }

    /// Sees where large blobs are to come from.
    fn exchange_large(&mut self, digests: &[Digest], context: &mut Context<Self>) {
        let Some((key, _)) = self.peer else { return };
        if digests.is_empty() {
            return;
        }
        let own = context.address().recipient();
        self.job.askers.borrow_mut().insert(self.executor, own);
        let holder = Holder { key, address: self.target.address };
        let grants = self.job.exchange.borrow_mut().asks(self.executor, holder, digests);
        self.grant(grants);
        context.run_later(WAITS, |this, _| {
            let grant = this.job.exchange.borrow_mut().impatient(this.executor);
            this.grant(grant.map(|grant| (this.executor, grant)).into_iter().collect());
        });
    }

    /// Tells proxies, this one as well as others, where blobs come from.
    fn grant(&self, grants: Grants) {
        let askers = self.job.askers.borrow();
        for (executor, grant) in grants {
            if let Some(asker) = askers.get(&executor) {
                asker.do_send(Granted(grant));
            }
        }
    }

    /// Sends what was asked for, one pack after the other, as fast as the peer takes them.
    fn send_blobs(&self, asked: Vec<Digest>, context: &mut Context<Self>) {
        let Some(link) = self.link.clone() else { return };
        let (packed, mut packs) = mpsc::channel(1);
        let tree = Arc::clone(&self.job.tree);
        // Ends at the latest when nobody takes the next pack.
        tokio::task::spawn_blocking(move || pack(&tree, asked, &packed));
        let proxy = context.address();
        let sending = async move {
            while let Some(pack) = packs.recv().await {
                let pack = pack.map_err(|error| error.to_string())?;
                let gone = |_| "its link has ended".to_owned();
                link.send(WaitForCapacity(AHEAD)).await.map_err(gone)?;
                // Answered when it was handed on, so that packs do not pile up on the way.
                proxy.send(Packed(pack)).await.map_err(gone)?;
            }
            Ok(())
        };
        context.spawn(sending.into_actor(self).map(|sent, this, context| match sent {
            Ok(()) => this.transfer(transfer::Input::BatchSent, context),
            Err(reason) => this.input(Input::Trouble(reason), context),
        }));
    }
}

/// Whether the other end of a link that ended so may be there again before long. Who refuses us, is somebody else or
/// breaks the protocol would do so again.
fn may_come_back(end: &link::End) -> bool {
    use link::End;
    match end {
        End::Unreachable(_)
        | End::Insecure(_)
        | End::Late(_)
        | End::Cut(_)
        | End::Silent(_)
        | End::Crowded(_)
        | End::ByeByPeer(_) => true,
        End::OtherKey { .. }
        | End::RefusedByUs { .. }
        | End::RefusedByPeer { .. }
        | End::Closed(_)
        | End::Violated(_) => false,
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

impl CoreActor for PeerProxy {
    type Input = Input;
    type Effect = Effect;

    fn effects(&mut self) -> &mut Vec<Effect> {
        &mut self.effects
    }

    fn step(&mut self, _: Instant, input: Input, effects: &mut Vec<Effect>) {
        self.core.handle(input, effects);
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::SendPacket => self.send_packet(context),
            Effect::SendBlobs(digests) => {
                self.transfer(transfer::Input::Asked, context);
                let large = |digest: &Digest| self.job.tree.size(digest) >= LARGE;
                let (large, small) = digests.into_iter().partition::<Vec<_>, _>(large);
                self.send_own(small, context);
                self.exchange_large(&large, context);
            }
            Effect::Make(leases) => {
                self.job.cases.do_send(Make { leases, to: context.address().recipient() });
            }
            Effect::Send(mut message) => {
                // What is kept here, and shown, names the paths of this machine.
                if let (WorkMessage::Assign(leases), Engine::Native(native)) =
                    (&mut message, &self.job.packet.engine)
                {
                    leases.iter_mut().for_each(|lease| relocate(&mut lease.case, &native.elsewhere));
                }
                self.say(message);
            }
            Effect::Join { credit } => {
                if let Some((key, _)) = self.peer {
                    let holder = Holder { key, address: self.target.address };
                    let grants = self.job.exchange.borrow_mut().ready(self.executor, holder);
                    self.grant(grants);
                }
                self.transfer(transfer::Input::Complete, context);
                self.job.joins.do_send(Join {
                    executor: self.executor,
                    place: Place::Peer(self.target.name.clone()),
                    credit,
                    max_heavy: self.job.max_heavy,
                    orders: context.address().recipient(),
                });
                let (executor, sent, after) = (self.executor, self.transfer.packed(), self.begun.elapsed());
                self.job.owner.do_send(ProxyEvent::Joined { executor, key: self.key(), sent, after });
            }
            Effect::Waits { ahead } => {
                self.job.owner.do_send(ProxyEvent::Waits { executor: self.executor, ahead });
            }
            Effect::News(what) => {
                self.job.news.do_send(ExecutorEvent { executor: self.executor, kind: what });
            }
            Effect::Over { reason, joined, again } => {
                let bye = reason.clone().unwrap_or_else(|| "the run is over".into());
                if let Some(link) = &self.link {
                    link.do_send(Close { reason: bye });
                }
                self.transfer(transfer::Input::Stop, context);
                self.job.askers.borrow_mut().remove(&self.executor);
                // One whose tests are over has what it had.
                let grants = self.job.exchange.borrow_mut().left(self.executor);
                self.grant(grants);
                let (executor, key) = (self.executor, self.key());
                self.job.owner.do_send(ProxyEvent::Over { executor, key, reason, joined, again });
            }
        }
    }
}

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
                self.input(Input::Ended { reason: end.to_string(), again: may_come_back(&end) }, context);
                self.link = None;
                return;
            }
        };
        self.input(input, context);
    }
}

impl Handler<Order> for PeerProxy {
    type Result = ();

    fn handle(&mut self, order: Order, context: &mut Self::Context) {
        let input = match order {
            Order::Assign(leases) => Input::Assign(leases),
            Order::Withdraw(leases) => Input::Withdraw(leases),
            Order::Stop { .. } => Input::Stop,
        };
        self.input(input, context);
    }
}

impl Handler<MadeCases> for PeerProxy {
    type Result = ();

    fn handle(&mut self, MadeCases(made): MadeCases, context: &mut Self::Context) {
        self.input(Input::Made(made), context);
    }
}

impl Handler<Troubled> for PeerProxy {
    type Result = ();

    fn handle(&mut self, Troubled(reason): Troubled, context: &mut Self::Context) {
        self.input(Input::Trouble(reason), context);
    }
}

impl Handler<Granted> for PeerProxy {
    type Result = ();

    fn handle(&mut self, Granted(grant): Granted, context: &mut Self::Context) {
        match grant {
            _ if self.core.is_over() => {}
            Grant::Own(digests) => self.send_own(digests, context),
            Grant::Elsewhere(digests, Holder { key, address }) => {
                for blobs in digests.chunks(MOST_FETCHED) {
                    let blobs = blobs.to_vec();
                    self.say(WorkMessage::Elsewhere { blobs, holder: key, address });
                }
            }
        }
    }
}

impl Handler<Packed> for PeerProxy {
    type Result = ();

    fn handle(&mut self, Packed(pack): Packed, context: &mut Self::Context) {
        if !self.core.is_over() {
            let (packed, unpacked) = (pack.data.len() as u64, u64::from(pack.unpacked));
            self.transfer(transfer::Input::PackSent { packed, unpacked }, context);
            self.say(WorkMessage::Pack(pack));
        }
    }
}

impl Handler<Distrust> for PeerProxy {
    type Result = ();

    fn handle(&mut self, Distrust(key): Distrust, context: &mut Self::Context) {
        if self.key().or(self.target.key) == Some(key) {
            self.input(Input::Distrusted, context);
        }
    }
}

impl Handler<EndProxy> for PeerProxy {
    type Result = ();

    fn handle(&mut self, _: EndProxy, context: &mut Self::Context) {
        self.input(Input::Stop, context);
        // The link outlives it by its last words.
        context.run_later(LAST_WORDS, |_, context| context.stop());
    }
}
