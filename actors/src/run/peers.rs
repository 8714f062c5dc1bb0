//! Brings peers in and sees them off.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, ResponseFuture};
use flotilla_messages::Cases;
use flotilla_messages::inputs::Digest;
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::wire::Hello;
use flotilla_messages::{Fingerprint, Place};

use super::options::{PeersOptions, RunOptions};
use crate::aggregator::{ResultAggregator, Tell};
use crate::executor::{ExecutorId, News, Order, What};
use crate::inputs::{ScanError, StatCache, Tree, scan};
use crate::link::{self, Open, TrustedKeys};
use crate::proxy::{CaseMaker, End, Gone, Job, PeerProxy};
use crate::scheduler::{Join, Scheduler};

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
    proxies: BTreeMap<ExecutorId, (Addr<PeerProxy>, String)>,
    /// Why peers are not used.
    reasons: Vec<String>,
    open: Open,
    over: bool,
}

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
            probe: Vec::new(),
            env: peers.env.clone(),
            output_cap: options.output_cap as u64,
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
            proxies: BTreeMap::new(),
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
            let scanned = scan(&selection, &mut cache);
            if let Err(error) = cache.save() {
                log::warn!("the next run will read all inputs again: {error}");
            }
            own.do_send(Scanned(scanned));
        };
        if let Err(error) = std::thread::Builder::new().name("inputs".into()).spawn(life) {
            self.none(format!("cannot start a thread for the inputs: {error}"));
        }
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
        });
        // 0 is this machine.
        for (target, number) in self.options.peers.iter().zip(1..) {
            let executor = ExecutorId(number);
            let proxy = PeerProxy::new(executor, target.clone(), Rc::clone(&job)).start();
            self.proxies.insert(executor, (proxy, target.name.clone()));
        }
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
        if let (true, Some(executor)) = (self.proxies.is_empty() && !self.over, self.without_us) {
            let reasons = match self.reasons.as_slice() {
                [] => "there are no peers".to_owned(),
                reasons => reasons.join("; "),
            };
            let what = What::Lost { reason: format!("no peer can be used: {reasons}") };
            self.scheduler.do_send(News { executor, what });
        }
    }

    fn say(&self, notice: String) {
        self.aggregator.do_send(Tell::Notice(notice));
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
            Ok(tree) => self.bring_in(tree, context),
            Err(error) => self.none(error.to_string()),
        }
    }
}

impl Handler<Gone> for Peers {
    type Result = ();

    fn handle(&mut self, gone: Gone, _: &mut Self::Context) {
        let (Gone::Joined { executor, .. } | Gone::Waits { executor, .. } | Gone::Over { executor, .. }) =
            gone;
        let Some((_, name)) = self.proxies.get(&executor) else { return };
        match gone {
            Gone::Joined { sent, after, .. } => {
                self.say(format!("{name} takes part: {} sent, {:.1} s", bytes(sent), after.as_secs_f64()));
            }
            // Else nobody knows why so much runs here.
            Gone::Waits { ahead, .. } => {
                self.say(format!("{name} works for others first: {ahead} ahead of this run"));
            }
            Gone::Over { reason, joined, .. } => {
                let Some(reason) = reason else { return };
                let used = if joined { "is not used any more" } else { "is not used" };
                let line = format!("{name} {used}: {reason}");
                // Also where nothing runs here: the other peers may do it all.
                self.say(line.clone());
                self.reasons.push(line);
                self.proxies.remove(&executor);
                self.look_whether_any_is_left();
            }
        }
    }
}

impl Handler<Part> for Peers {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Part, _: &mut Self::Context) -> Self::Result {
        self.over = true;
        let proxies: Vec<_> = std::mem::take(&mut self.proxies).into_values().collect();
        let open = self.open.clone();
        Box::pin(async move {
            for (proxy, _) in &proxies {
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

/// `0 bytes`, `12.3 kB`, `4.0 MB`.
fn bytes(count: u64) -> String {
    match count {
        0..1000 => format!("{count} bytes"),
        1000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
