//! The aggregator's actor.

use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler};
use flotilla_messages::{Event, EventKind};

use super::core::{Core, VerdictPolicy};
use super::message::AggregatorMsg;
use super::progress::Moment;
use super::reporter::{Reporter, Reporters};
use crate::kit::DeathWatch;
use crate::run::RunEvent;

/// The time between two ticks.
const TICK: Duration = Duration::from_millis(100);

/// Counts verdicts and passes events to every reporter.
pub struct ResultAggregator {
    core: Core,
    reporters: Reporters,
    /// Emptied after each message; kept for its memory.
    events: Vec<Event>,
    watch: DeathWatch<RunEvent>,
}

impl ResultAggregator {
    /// For a run that begins now. `watch` gets the summary when the reporters have been told.
    pub fn new(
        policy: VerdictPolicy,
        reporters: Vec<Box<dyn Reporter>>,
        watch: DeathWatch<RunEvent>,
    ) -> Self {
        Self {
            core: Core::new(policy, Instant::now()),
            reporters: Reporters::new(reporters),
            events: Vec::new(),
            watch,
        }
    }
}

impl Actor for ResultAggregator {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if self.reporters.want_ticks() {
            context.run_interval(TICK, |this, _| this.reporters.tick(&this.core.status(Moment::now())));
        }
    }
}

impl Handler<AggregatorMsg> for ResultAggregator {
    type Result = ();

    fn handle(&mut self, message: AggregatorMsg, _: &mut Self::Context) {
        let mut events = std::mem::take(&mut self.events);
        self.core.handle(Moment::now(), message, &mut events);
        for event in events.drain(..) {
            self.reporters.event(&event);
            if let EventKind::RunFinished(end) = event.kind {
                self.watch.send(RunEvent::Done(end.summary));
            }
        }
        self.events = events;
    }
}
