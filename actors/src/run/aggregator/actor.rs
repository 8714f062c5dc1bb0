//! The aggregator's actor.

use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Recipient};

use super::core::{Core, Effect, Policy, Tell};
use super::progress::Moment;
use super::reporter::{Reporter, Reporters};
use crate::kit::DeathWatch;
use crate::run::RunEvent;
use crate::run::scheduler::Stop;

/// The time between two ticks.
const TICK: Duration = Duration::from_millis(100);

/// Turns endings into verdicts and tells every reporter.
pub struct ResultAggregator {
    core: Core,
    reporters: Reporters,
    scheduler: Recipient<Stop>,
    effects: Vec<Effect>,
    watch: DeathWatch<RunEvent>,
}

impl ResultAggregator {
    /// For a run that begins now. `watch` gets the summary when the reporters have been told.
    pub fn new(
        policy: Policy,
        reporters: Vec<Box<dyn Reporter>>,
        scheduler: Recipient<Stop>,
        watch: DeathWatch<RunEvent>,
    ) -> Self {
        Self {
            core: Core::new(policy, Instant::now()),
            reporters: Reporters::new(reporters),
            scheduler,
            effects: Vec::new(),
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

impl Handler<Tell> for ResultAggregator {
    type Result = ();

    fn handle(&mut self, told: Tell, _: &mut Self::Context) {
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(Moment::now(), told, &mut effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Event(event) => self.reporters.event(&event),
                // Once or twice in a run.
                Effect::Stop(reason) => self.scheduler.do_send(Stop { reason: Some(reason), kill: false }),
                Effect::Done(summary) => self.watch.send(RunEvent::Done(summary)),
            }
        }
        self.effects = effects;
    }
}
