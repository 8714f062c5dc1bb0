//! The actor that brings peers in and sees them off.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, ResponseFuture, WrapFuture,
};
use flotilla_messages::Cases;
use flotilla_messages::inputs::Digest;
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::wire::Hello;
use flotilla_messages::{EventKind, Fingerprint, PeerNews};

use super::core::{Core, Effect, Input};
use crate::content::inputs::{ScanError, StatCache, Tree, scan};
use crate::execution::executor::{ExecutorEvent, ExecutorEventKind, ExecutorId};
use crate::kit::reactor_now;
use crate::net::link::{self, Open};
use crate::run::aggregator::{AggregatorMsg, ResultAggregator};
use crate::run::daemon_client::Distrusted;
use crate::run::options::{PeersOptions, RunOptions};
use crate::run::proxy::{CaseMaker, Distrust, EndProxy, JobTerms, PeerProxy, ProxyEvent, Target};
use crate::run::scheduler::{HowMany, Rated, Rates, Scheduler};
use crate::trust::TrustedKeys;

/// How long peers may take to be told that the run is over.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The peers of one run.
pub(in crate::run) struct Peers {
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
    job: Option<Rc<JobTerms>>,
    core: Core,
    /// The latest proxy of each peer, while it has one.
    proxies: BTreeMap<usize, Addr<PeerProxy>>,
    /// Whom each executor is, or was: a peer that comes back is another one.
    executors: BTreeMap<ExecutorId, usize>,
    /// The number of the last one; 0 is this machine.
    last_executor: u32,
    open: Open,
    over: bool,
    /// Emptied after each input; kept for its memory.
    effects: Vec<Effect>,
}

/// This peer may be dialled again.
#[derive(Message)]
#[rtype(result = "()")]
struct PauseOver(usize);

/// The inputs are known.
#[derive(Message)]
#[rtype(result = "()")]
struct Scanned(Result<Tree, ScanError>);

/// The run is over: say Bye to all. Answered when they have heard it, or do not listen.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(in crate::run) struct Part;

impl Peers {
    /// For a run with these options.
    pub(in crate::run) fn new(
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
            core: Core::new(without_us.is_some()),
            proxies: BTreeMap::new(),
            executors: BTreeMap::new(),
            last_executor: 0,
            open: Open::default(),
            over: false,
            effects: Vec::new(),
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
            let why = format!("cannot start a thread for the inputs: {error}");
            self.handle(Input::Unusable(why), context);
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
            Err(error) => {
                let why = format!("cannot start a thread for test cases: {error}");
                return self.handle(Input::Unusable(why), context);
            }
        };
        let hello = Hello::of_this_build(0);
        let job = Rc::new(JobTerms {
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
        let peers = self.options.peers.iter().map(|target| (target.name.clone(), target.key)).collect();
        self.handle(Input::Begin(peers), context);
    }

    fn handle(&mut self, input: Input, context: &mut Context<Self>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(reactor_now(), input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect, context);
        }
        self.effects = effects;
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::Dial { peer, key } => self.dial(peer, key),
            Effect::Pause { peer, pause } => {
                context.notify_later(PauseOver(peer), pause);
            }
            Effect::Distrust { peer, key } => {
                if let Some(proxy) = self.proxies.get(&peer) {
                    proxy.do_send(Distrust(key));
                }
            }
            Effect::Unresponsive { key, reason } => {
                if let Some(daemon) = &self.options.daemon {
                    daemon.unresponsive(key, &reason);
                }
            }
            Effect::Part { peer, part } => {
                self.aggregator.do_send(AggregatorMsg::Event(EventKind::Peer(PeerNews { peer, part })));
            }
            Effect::Notice(text) => self.aggregator.do_send(AggregatorMsg::notice(text)),
            Effect::NoneLeft { reason } => {
                if let Some(executor) = self.without_us {
                    self.scheduler
                        .do_send(ExecutorEvent { executor, kind: ExecutorEventKind::Lost { reason } });
                }
            }
        }
    }

    fn dial(&mut self, number: usize, key: Option<Fingerprint>) {
        let (Some(target), Some(job)) = (self.options.peers.get(number), &self.job) else { return };
        self.last_executor += 1;
        let executor = ExecutorId(self.last_executor);
        let target = Target { key, ..target.clone() };
        self.proxies.insert(number, PeerProxy::new(executor, target, Rc::clone(job)).start());
        self.executors.insert(executor, number);
    }

    /// Where the guess at a peer's speed begins: what the daemon knows of earlier runs.
    fn rate(&self, executor: ExecutorId, key: Option<Fingerprint>) {
        if let (Some(key), Some(daemon)) = (key, &self.options.daemon)
            && let Some(permille) = daemon.rate(key)
        {
            self.scheduler.do_send(Rated { executor, permille });
        }
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
            Err(error) => self.handle(Input::Unusable(error.to_string()), context),
        }
    }
}

impl Handler<ProxyEvent> for Peers {
    type Result = ();

    fn handle(&mut self, event: ProxyEvent, context: &mut Self::Context) {
        let (ProxyEvent::Joined { executor, .. }
        | ProxyEvent::Waits { executor, .. }
        | ProxyEvent::Over { executor, .. }
        | ProxyEvent::Sending { executor, .. }) = event;
        let Some(&peer) = self.executors.get(&executor) else { return };
        match event {
            _ if self.over => {}
            ProxyEvent::Sending { sent, total, .. } => {
                let Some(peer) = self.core.name(peer).map(str::to_owned) else { return };
                self.aggregator.do_send(AggregatorMsg::Event(EventKind::Sending { peer, sent, total }));
            }
            ProxyEvent::Waits { ahead, .. } => self.handle(Input::Waits { peer, ahead }, context),
            ProxyEvent::Joined { key, sent, after, .. } => {
                self.handle(Input::Joined { peer, sent, after }, context);
                self.rate(executor, key);
            }
            ProxyEvent::Over { key, reason, joined, again, .. } => {
                self.proxies.remove(&peer);
                self.handle(Input::Over { peer, key, reason, joined, again }, context);
            }
        }
    }
}

impl Handler<PauseOver> for Peers {
    type Result = ();

    fn handle(&mut self, PauseOver(peer): PauseOver, context: &mut Self::Context) {
        self.handle(Input::PauseOver(peer), context);
    }
}

impl Handler<Distrusted> for Peers {
    type Result = ();

    fn handle(&mut self, Distrusted(key): Distrusted, context: &mut Self::Context) {
        self.handle(Input::Distrusted(key), context);
    }
}

impl Handler<Part> for Peers {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Part, context: &mut Self::Context) -> Self::Result {
        self.over = true;
        self.handle(Input::End, context);
        let keys: BTreeMap<ExecutorId, Option<Fingerprint>> =
            self.executors.iter().map(|(&executor, &number)| (executor, self.core.key(number))).collect();
        let proxies: Vec<_> = std::mem::take(&mut self.proxies).into_values().collect();
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
                let _ = proxy.send(EndProxy).await;
            }
            let _ = tokio::time::timeout(LAST_WORDS, open.drained()).await;
        })
    }
}
