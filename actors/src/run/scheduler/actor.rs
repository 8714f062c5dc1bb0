//! The scheduler's actor.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, Recipient};
use flotilla_messages::{Cases, EventKind, Place, StopReason};

use super::case_reader::CaseReader;
use super::core::Core;
use super::effect::{CaseRead, Effect, Input};
use super::lister::{self, Listing, ListingDemand};
use super::policy::{ConfirmFailures, FailureLimit, History, Reruns};
use crate::execution::executor::{ExecutorEvent, ExecutorId, Order};
use crate::kit::DeathWatch;
use crate::run::RunEvent;
use crate::run::aggregator::AggregatorMsg;

/// The time between two looks at what is late.
const TICK: Duration = Duration::from_millis(100);

/// An executor offers itself. It changes its credit by [`ExecutorEventKind::Ready`](crate::execution::executor::ExecutorEventKind::Ready).
#[derive(Message)]
#[rtype(result = "()")]
pub struct Join {
    /// Its number.
    pub executor: ExecutorId,
    /// Where it runs tests.
    pub place: Place,
    /// How many leases it takes at a time: its jobs, and the queue ahead of them.
    pub credit: usize,
    /// How many of these may be HEAVY; 0 counts as 1.
    pub max_heavy: usize,
    /// Where its orders go.
    pub orders: Recipient<Order>,
}

/// How fast an executor that has joined was in earlier runs: where the guess at its speed begins.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Rated {
    /// Which.
    pub executor: ExecutorId,
    /// Tests it finished in the time in which one job slot of this machine finished 1000.
    pub permille: u32,
}

/// Asks how fast peers are, in the unit of [`Rated`]; only those are told that have run enough.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<(ExecutorId, u32)>")]
pub struct Rates;

/// Asks how many tests have been found so far.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "u64")]
pub struct HowMany;

/// The run is to end early.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Stop {
    /// Why, unless it is being given up.
    pub reason: Option<StopReason>,
    /// SIGKILL at once.
    pub kill: bool,
}

/// Owns the table of tests and leases them to executors.
pub struct Scheduler {
    core: Core,
    cases: Arc<dyn Cases>,
    executors: BTreeMap<ExecutorId, Recipient<Order>>,
    aggregator: Recipient<AggregatorMsg>,
    /// While the run goes on.
    reader: Option<CaseReader>,
    appetite: Arc<ListingDemand>,
    /// Emptied after each input; kept for its memory.
    effects: Vec<Effect>,
    watch: DeathWatch<RunEvent>,
    /// Of the first lease and of the last verdict.
    span: Option<(Instant, Instant)>,
}

impl Scheduler {
    /// A scheduler for these tests, reporting to this aggregator. Listing begins with [`Scheduler::list`].
    pub fn new(
        cases: Arc<dyn Cases>,
        aggregator: Recipient<AggregatorMsg>,
        watch: DeathWatch<RunEvent>,
    ) -> Self {
        Self {
            core: Core::default(),
            cases,
            executors: BTreeMap::new(),
            aggregator,
            reader: None,
            appetite: Arc::default(),
            effects: Vec::new(),
            watch,
            span: None,
        }
    }

    /// Before it starts: which results of peers it confirms, which tests it runs again, how many failures end the run, and
    /// what is known of the tests' durations.
    #[must_use]
    pub fn with_policy(
        mut self,
        confirm: ConfirmFailures,
        reruns: Reruns,
        limit: FailureLimit,
        history: Box<dyn History>,
    ) -> Self {
        self.core = Core::new(confirm, history).with_reruns(reruns).with_limit(limit);
        self
    }

    /// Before it starts, after its policy: whether tests are started in the order in which they are found.
    #[must_use]
    pub fn unsorted(mut self, unsorted: bool) -> Self {
        self.core = self.core.unsorted(unsorted);
        self
    }

    /// Before it starts: each placement is to be explained.
    #[must_use]
    pub fn explaining(mut self, explain: bool) -> Self {
        self.core.explain(explain);
        self
    }

    /// Starts to find tests, on a thread that reports to `scheduler`, this actor's address.
    ///
    /// # Errors
    /// No thread is left.
    pub fn list(&self, scheduler: Recipient<Listing>) -> io::Result<()> {
        // The first tests are waited for, even if no executor has said so yet.
        self.appetite.hungry.store(true, Ordering::Relaxed);
        lister::start(Arc::clone(&self.cases), Arc::clone(&self.appetite), scheduler)
    }

    fn handle(&mut self, input: Input) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(Instant::now(), input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
        self.appetite.hungry.store(self.core.hungry(), Ordering::Relaxed);
        if self.core.is_ending() {
            self.appetite.enough.store(true, Ordering::Relaxed);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Assign { executor, leases } => {
                self.span.get_or_insert_with(|| (Instant::now(), Instant::now()));
                self.order(executor, Order::Assign(leases));
            }
            Effect::Withdraw { executor, leases } => self.order(executor, Order::Withdraw(leases)),
            Effect::StopExecutor { executor, kill } => self.order(executor, Order::Stop { kill }),
            Effect::Tell(message) => {
                self.note(&message);
                // The aggregator shares this arbiter: it keeps pace.
                self.aggregator.do_send(message);
            }
            Effect::ReadCase(test) => {
                if let Some(reader) = &mut self.reader {
                    reader.read(test);
                }
            }
            Effect::Stuck { reason } => {
                self.watch.send(RunEvent::Broken(format!("no executor is left: {reason}")));
            }
        }
    }

    /// For the log.
    fn note(&mut self, message: &AggregatorMsg) {
        match message {
            AggregatorMsg::Event(EventKind::Listed { tests, complete: true }) => {
                log::info!("all tests are found: {tests}");
            }
            AggregatorMsg::Verdict { .. } => {
                if let Some((_, last)) = &mut self.span {
                    *last = Instant::now();
                }
            }
            AggregatorMsg::Over { .. } => {
                if let Some((first, last)) = self.span {
                    let span = last.saturating_duration_since(first).as_secs_f64();
                    log::info!("{span:.3} s from the first lease to the last verdict");
                }
                self.reader = None;
            }
            _ => {}
        }
    }

    /// Credit bounds what is on its way to an executor, and it may be gone: its loss will be reported.
    fn order(&self, executor: ExecutorId, order: Order) {
        if let Some(orders) = self.executors.get(&executor) {
            orders.do_send(order);
        }
    }
}

impl Actor for Scheduler {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.reader = Some(CaseReader::new(Arc::clone(&self.cases), context.address().recipient()));
        context.run_interval(TICK, |this, _| {
            if this.core.wants_ticks() {
                this.handle(Input::Tick);
            }
        });
    }
}

impl Handler<Join> for Scheduler {
    type Result = ();

    fn handle(&mut self, join: Join, _: &mut Self::Context) {
        let Join { executor, place, credit, max_heavy, orders } = join;
        self.executors.insert(executor, orders);
        self.handle(Input::Joined { executor, place, credit, max_heavy });
    }
}

impl Handler<Rated> for Scheduler {
    type Result = ();

    fn handle(&mut self, Rated { executor, permille }: Rated, _: &mut Self::Context) {
        self.handle(Input::Rated { executor, permille });
    }
}

impl Handler<Rates> for Scheduler {
    type Result = MessageResult<Rates>;

    fn handle(&mut self, _: Rates, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.core.rates(Instant::now()))
    }
}

impl Handler<ExecutorEvent> for Scheduler {
    type Result = ();

    fn handle(&mut self, news: ExecutorEvent, _: &mut Self::Context) {
        self.handle(Input::Executor(news));
    }
}

impl Handler<CaseRead> for Scheduler {
    type Result = ();

    fn handle(&mut self, read: CaseRead, _: &mut Self::Context) {
        self.handle(Input::CaseRead(read));
    }
}

impl Handler<Listing> for Scheduler {
    type Result = ();

    fn handle(&mut self, listing: Listing, _: &mut Self::Context) {
        match listing {
            Listing::Found(entries) => self.handle(Input::Found(entries)),
            Listing::Ended => self.handle(Input::AllFound),
            Listing::Failed(reason) => {
                self.watch.send(RunEvent::Broken(format!("listing tests failed: {reason}")));
            }
        }
    }
}

impl Handler<HowMany> for Scheduler {
    type Result = u64;

    fn handle(&mut self, _: HowMany, _: &mut Self::Context) -> u64 {
        self.core.found()
    }
}

impl Handler<Stop> for Scheduler {
    type Result = ();

    fn handle(&mut self, Stop { reason, kill }: Stop, _: &mut Self::Context) {
        self.handle(Input::Stop { reason, kill });
    }
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
