//! Brings peers in and sees them off.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, ResponseFuture, WrapFuture,
};
use flotilla_messages::Cases;
use flotilla_messages::inputs::Digest;
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::wire::Hello;
use flotilla_messages::{Event, Fingerprint, PeerNews, PeerPart, Place};

use super::options::{PeersOptions, RunOptions};
use crate::content::inputs::{ScanError, StatCache, Tree, scan};
use crate::execution::executor::{ExecutorId, News, Order, What};
use crate::kit::reactor_now;
use crate::net::link::{self, Open};
use crate::run::aggregator::{AggregatorMsg, ResultAggregator};
use crate::run::daemon_client::Distrusted;
use crate::run::proxy::{CaseMaker, Distrust, End, Job, PeerProxy, ProxyEvent, Target};
use crate::run::scheduler::{HowMany, Join, Rated, Rates, Scheduler};
use crate::trust::TrustedKeys;

/// The first pause before a peer is dialled again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A peer that was there this long is not one that comes and goes.
const STEADY: Duration = Duration::from_secs(10);
/// Where nobody else runs tests, a peer is dialled this many times more: for seven seconds.
const MOST_DIALS_ALONE: u32 = 4;
/// How long peers may take to be told that the run is over.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The peers of one run.
pub(super) struct Peers {
    options: PeersOptions,
    /// What the work packets say.
    packet: WorkPacket,
    max_heavy: usize,
    keep_output: bool,
    cases: Arc<dyn Cases>,
    scheduler: Addr<Scheduler>,
    aggregator: Addr<ResultAggregator>,
    /// Told when no peer is left, if there is no other executor.
    without_us: Option<ExecutorId>,
    /// What all are asked to do, once the inputs are known.
    job: Option<Rc<Job>>,
    peers: Vec<Peer>,
    /// Whom each executor is, or was: a peer that comes back is another one.
    executors: BTreeMap<ExecutorId, usize>,
    /// The number of the last one; 0 is this machine.
    last_executor: u32,
    /// Why peers are not used.
    reasons: Vec<String>,
    open: Open,
    over: bool,
}

/// One of them.
struct Peer {
    target: Target,
    /// Its latest executor's.
    proxy: Option<Addr<PeerProxy>>,
    /// When that joined.
    joined: Option<Instant>,
    /// Whether it has ever joined.
    known: bool,
    /// Why it went after it had joined.
    left: Option<String>,
    /// Dials since it was last there for a while.
    dials: u32,
    /// Nothing is to be expected of it any more.
    given_up: bool,
}

/// Dial this peer again.
#[derive(Message)]
#[rtype(result = "()")]
struct Redial(usize);

/// The inputs are known.
#[derive(Message)]
#[rtype(result = "()")]
struct Scanned(Result<Tree, ScanError>);

/// The run is over: say Bye to all. Answered when they have heard it, or do not listen.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Part;

impl Peers {
    /// For a run with these options.
    pub(super) fn new(
        peers: PeersOptions,
        options: &RunOptions,
        cases: Arc<dyn Cases>,
        scheduler: Addr<Scheduler>,
        aggregator: Addr<ResultAggregator>,
        without_us: Option<ExecutorId>,
    ) -> Self {
        let packet = WorkPacket {
            // The first two and the time are each link's own.
            recipient: Fingerprint([0; 32]),
            exporter: [0; 32],
            issued: 0,
            root: Digest::of(b""),
            client_root: options.root.to_string_lossy().into_owned(),
            engine: peers.engine.clone(),
            env: peers.env.clone(),
            output_cap: options.output_cap as u64,
            memory: options.memory,
            max_heavy: u16::try_from(options.max_heavy.max(1)).unwrap_or(u16::MAX),
            tests: 0,
        };
        Self {
            options: peers,
            packet,
            max_heavy: options.max_heavy,
            keep_output: options.keep_passing_output,
            cases,
            scheduler,
            aggregator,
            without_us,
            job: None,
            peers: Vec::new(),
            executors: BTreeMap::new(),
            last_executor: 0,
            reasons: Vec::new(),
            open: Open::default(),
            over: false,
        }
    }

    /// Finds the inputs, on a thread that the run's end does not wait for.
    fn scan(&mut self, context: &mut Context<Self>) {
        if self.over {
            return;
        }
        let (selection, cache, own) =
            (self.options.inputs.clone(), self.options.cache.clone(), context.address());
        let life = move || {
            let mut cache = StatCache::load(cache);
            own.do_send(Scanned(scan(&selection, &mut cache)));
            if let Err(error) = cache.save() {
                log::warn!("the next run will read all inputs again: {error}");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("inputs".into()).spawn(life) {
            self.none(format!("cannot start a thread for the inputs: {error}"));
        }
    }

    /// Asks how many tests there are, which each peer's log is to tell; then brings the peers in.
    fn count(&self, tree: Tree, context: &mut Context<Self>) {
        let asked = self.scheduler.send(HowMany).into_actor(self);
        context.spawn(asked.map(|tests, this, context| {
            this.packet.tests = tests.unwrap_or_default();
            if !this.over {
                this.bring_in(tree, context);
            }
        }));
    }

    fn bring_in(&mut self, tree: Tree, context: &mut Context<Self>) {
        let counts = tree.counts;
        log::info!("inputs: {} files, {} bytes, {} files read", counts.files, counts.bytes, counts.read);
        let maker = match CaseMaker::start(Arc::clone(&self.cases)) {
            Ok(maker) => maker,
            Err(error) => return self.none(format!("cannot start a thread for test cases: {error}")),
        };
        let hello = Hello::of_this_build(0);
        let job = Rc::new(Job {
            identity: Arc::clone(&self.options.identity),
            trusted: self.options.trusted.iter().copied().collect::<TrustedKeys>(),
            packet: WorkPacket { root: tree.root, ..self.packet.clone() },
            tree: Arc::new(tree),
            max_heavy: self.max_heavy,
            keep_output: self.keep_output,
            link: Rc::new(link::Settings {
                timing: self.options.timing,
                open: self.open.clone(),
                level: log::Level::Debug,
                ..link::Settings::new(hello)
            }),
            cases: maker,
            joins: self.scheduler.clone().recipient(),
            news: self.scheduler.clone().recipient(),
            owner: context.address().recipient(),
            exchange: RefCell::default(),
            askers: RefCell::default(),
        });
        self.job = Some(job);
        if let Some(daemon) = &self.options.daemon {
            daemon.watch(context.address().recipient());
        }
        let peer = |target: &Target| Peer {
            target: target.clone(),
            proxy: None,
            joined: None,
            known: false,
            left: None,
            dials: 0,
            given_up: false,
        };
        self.peers = self.options.peers.iter().map(peer).collect();
        for number in 0..self.peers.len() {
            self.dial(number);
        }
        self.look_whether_any_is_left();
    }

    fn dial(&mut self, number: usize) {
        let (Some(peer), Some(job)) = (self.peers.get_mut(number), &self.job) else { return };
        self.last_executor += 1;
        let executor = ExecutorId(self.last_executor);
        let first = peer.dials == 0 && !peer.known;
        peer.dials += 1;
        peer.proxy = Some(PeerProxy::new(executor, peer.target.clone(), Rc::clone(job)).start());
        let name = peer.target.name.clone();
        self.executors.insert(executor, number);
        if first {
            self.tell(&name, PeerPart::Asked);
        }
    }

    fn joined(
        &mut self,
        number: usize,
        executor: ExecutorId,
        key: Option<Fingerprint>,
        sent: u64,
        after: Duration,
    ) {
        let Some(peer) = self.peers.get_mut(number) else { return };
        let again = if peer.known { " again" } else { "" };
        (peer.joined, peer.known) = (Some(reactor_now()), true);
        let text = format!(
            "{} takes part{again}: {} sent, {:.1} s",
            peer.target.name,
            bytes(sent),
            after.as_secs_f64()
        );
        let name = peer.target.name.clone();
        self.tell(&name, PeerPart::Joined { sent });
        self.say(text);
        if let (Some(key), Some(daemon)) = (key, &self.options.daemon)
            && let Some(permille) = daemon.rate(key)
        {
            self.scheduler.do_send(Rated { executor, permille });
        }
    }

    fn gone(&mut self, number: usize, gone: ProxyEvent, context: &mut Context<Self>) {
        let ProxyEvent::Over { key, reason, joined, again, .. } = gone else { return };
        let nowhere = self.without_us.is_some();
        let others =
            self.peers.iter().enumerate().any(|(other, peer)| other != number && peer.joined.is_some());
        let Some(peer) = self.peers.get_mut(number) else { return };
        peer.proxy = None;
        // Another one at that address is another peer.
        peer.target.key = key.or(peer.target.key);
        let name = peer.target.name.clone();
        let Some(reason) = reason else {
            // By word of the scheduler, which has said why.
            peer.given_up = true;
            self.reasons.push(format!("{name} gets no more tests"));
            return self.look_whether_any_is_left();
        };
        if again && let (Some(key), Some(daemon)) = (peer.target.key, &self.options.daemon) {
            daemon.unresponsive(key, &reason);
        }
        if peer.joined.take().is_some_and(|since| reactor_now().saturating_duration_since(since) >= STEADY) {
            peer.dials = 0;
        }
        // One that never answered is most likely switched off; one that did may come back.
        let seen = peer.known || peer.target.key.is_some() && peer.dials > 1 || key.is_some();
        if again && seen && !(nowhere && !others && peer.dials > MOST_DIALS_ALONE) {
            let pause = pause(peer.dials);
            log::info!("{name} is dialled again in {:.1} s: {reason}", pause.as_secs_f32());
            if joined {
                peer.left = Some(reason.clone());
                self.tell(&name, PeerPart::Out { reason: reason.clone() });
                self.say(format!("{name} is not used any more: {reason}; it is dialled again"));
            }
            context.notify_later(Redial(number), pause);
            return;
        }
        peer.given_up = true;
        let reason = match peer.left.take() {
            Some(left) if !joined => format!("{left}; and then: {reason}"),
            _ => reason,
        };
        let used = if peer.known { "is not used any more" } else { "is not used" };
        let line = format!("{name} {used}: {reason}");
        self.tell(&name, PeerPart::Out { reason });
        // Also where nothing runs here: the other peers may do it all.
        self.say(line.clone());
        self.reasons.push(line);
        self.look_whether_any_is_left();
    }

    /// No peer can be used.
    fn none(&mut self, why: String) {
        if self.without_us.is_none() {
            self.say(format!("all tests run on this machine: {why}"));
        }
        self.reasons.push(why);
        self.look_whether_any_is_left();
    }

    fn look_whether_any_is_left(&mut self) {
        let none = self.peers.iter().all(|peer| peer.given_up);
        if let (true, Some(executor)) = (none && !self.over, self.without_us) {
            let reasons = match self.reasons.as_slice() {
                [] => "there are no peers".to_owned(),
                reasons => reasons.join("; "),
            };
            let what = What::Lost { reason: format!("no peer can be used: {reasons}") };
            self.scheduler.do_send(News { executor, what });
        }
    }

    /// For the summary.
    fn tell(&self, peer: &str, part: PeerPart) {
        self.aggregator.do_send(AggregatorMsg::Event(Event::Peer(PeerNews { peer: peer.to_owned(), part })));
    }

    fn say(&self, notice: String) {
        self.aggregator.do_send(AggregatorMsg::notice(notice));
    }
}

impl Actor for Peers {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if self.options.after.is_zero() {
            self.scan(context);
        } else {
            context.run_later(self.options.after, Self::scan);
        }
    }
}

impl Handler<Scanned> for Peers {
    type Result = ();

    fn handle(&mut self, Scanned(scanned): Scanned, context: &mut Self::Context) {
        match scanned {
            _ if self.over => {}
            Ok(tree) => self.count(tree, context),
            Err(error) => self.none(error.to_string()),
        }
    }
}

impl Handler<ProxyEvent> for Peers {
    type Result = ();

    fn handle(&mut self, gone: ProxyEvent, context: &mut Self::Context) {
        let (ProxyEvent::Joined { executor, .. }
        | ProxyEvent::Waits { executor, .. }
        | ProxyEvent::Over { executor, .. }
        | ProxyEvent::Sending { executor, .. }) = gone;
        let Some(&number) = self.executors.get(&executor) else { return };
        match gone {
            _ if self.over => {}
            ProxyEvent::Sending { sent, total, .. } => {
                let Some(peer) = self.peers.get(number) else { return };
                let peer = peer.target.name.clone();
                self.aggregator.do_send(AggregatorMsg::Event(Event::Sending { peer, sent, total }));
            }
            // Tell the user why most tests run locally.
            ProxyEvent::Waits { ahead, .. } => {
                let Some(peer) = self.peers.get(number) else { return };
                let text = format!("{} works for others first: {ahead} ahead of this run", peer.target.name);
                self.say(text);
            }
            ProxyEvent::Joined { key, sent, after, .. } => self.joined(number, executor, key, sent, after),
            ProxyEvent::Over { .. } => self.gone(number, gone, context),
        }
    }
}

impl Handler<Redial> for Peers {
    type Result = ();

    fn handle(&mut self, Redial(number): Redial, _: &mut Self::Context) {
        let waits = self.peers.get(number).is_some_and(|peer| !peer.given_up && peer.proxy.is_none());
        if waits && !self.over {
            self.dial(number);
        }
    }
}

impl Handler<Distrusted> for Peers {
    type Result = ();

    fn handle(&mut self, Distrusted(key): Distrusted, _: &mut Self::Context) {
        for peer in &mut self.peers {
            match &peer.proxy {
                // It knows whose key it has seen.
                Some(proxy) => proxy.do_send(Distrust(key)),
                None if peer.target.key == Some(key) => peer.given_up = true,
                None => {}
            }
        }
        self.look_whether_any_is_left();
    }
}

impl Handler<Part> for Peers {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Part, _: &mut Self::Context) -> Self::Result {
        self.over = true;
        let keys: BTreeMap<ExecutorId, Option<Fingerprint>> = self
            .executors
            .iter()
            .filter_map(|(&executor, &number)| Some((executor, self.peers.get(number)?.target.key)))
            .collect();
        let proxies: Vec<_> = self.peers.iter_mut().filter_map(|peer| peer.proxy.take()).collect();
        let (open, daemon, scheduler) =
            (self.open.clone(), self.options.daemon.take(), self.scheduler.clone());
        Box::pin(async move {
            if let (Some(daemon), Ok(rates)) = (daemon, scheduler.send(Rates).await) {
                for (executor, permille) in rates {
                    if let Some(key) = keys.get(&executor).copied().flatten() {
                        daemon.update_performance(key, permille);
                    }
                }
            }
            for proxy in &proxies {
                // One that has died has closed its link.
                let _ = proxy.send(End).await;
            }
            let _ = tokio::time::timeout(LAST_WORDS, open.drained()).await;
        })
    }
}

/// Stands in for this machine's pool where no test is to run on it.
pub(super) struct Nobody;

impl Nobody {
    /// How it joins: for no leases.
    pub(super) fn join(executor: ExecutorId) -> Join {
        let orders = Self.start().recipient();
        Join { executor, place: Place::Local, credit: 0, max_heavy: 1, orders }
    }
}

impl Actor for Nobody {
    type Context = Context<Self>;
}

impl Handler<Order> for Nobody {
    type Result = ();

    fn handle(&mut self, _: Order, _: &mut Self::Context) {}
}

/// The pause after this many dials.
fn pause(dials: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << dials.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

/// `0 bytes`, `12.3 kB`, `4.0 MB`.
fn bytes(count: u64) -> String {
    match count {
        0..1000 => format!("{count} bytes"),
        1000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
