//! What actors around pure cores have in common: one timer, and a list of effects that is used again and again.

use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, SpawnHandle};

use super::clock::reactor_now;
use super::runtime;

/// When an actor will be called next, if at all.
#[derive(Default)]
pub(crate) struct Timer(Option<(Instant, SpawnHandle)>);

/// An actor that has something to do at a time that its state says.
pub(crate) trait Timed: Actor<Context = Context<Self>> {
    /// Its timer.
    fn timer(&mut self) -> &mut Timer;

    /// When [`on_time`](Self::on_time) is to be called, by the reactor's clock.
    fn due(&self) -> Option<Instant>;

    /// The time has come. May be called too early, if what it was set for has been put off since.
    fn on_time(&mut self, context: &mut Context<Self>);

    /// To be called whenever [`due`](Self::due) may have changed. Does nothing where the runtime has ended.
    fn set_timer(&mut self, context: &mut Context<Self>) {
        if !runtime::is_there() {
            return;
        }
        let due = self.due();
        match (self.timer().0, due) {
            // One that comes too early does no harm, and most deadlines are put off again and again.
            (Some((at, _)), Some(due)) if at <= due => return,
            (Some((_, handle)), _) => {
                context.cancel_future(handle);
                self.timer().0 = None;
            }
            (None, _) => {}
        }
        let Some(due) = due else { return };
        let handle = context.run_later(due.saturating_duration_since(reactor_now()), |this, context| {
            this.timer().0 = None;
            this.on_time(context);
        });
        self.timer().0 = Some((due, handle));
    }
}

/// An actor around a core `handle(now, input, effects)`: it takes inputs in and carries the effects out.
pub(crate) trait CoreActor: Actor<Context = Context<Self>> {
    /// What happens to the core.
    type Input;
    /// What follows from it.
    type Effect;

    /// The list that effects are gathered in; empty between inputs, kept for its memory.
    fn effects(&mut self) -> &mut Vec<Self::Effect>;

    /// One step of the core.
    fn step(&mut self, now: Instant, input: Self::Input, effects: &mut Vec<Self::Effect>);

    /// Carries out one effect. It must not call [`input`](Self::input).
    fn perform(&mut self, effect: Self::Effect, context: &mut Context<Self>);

    /// Called after each input: where an actor with a timer sets it.
    fn after_input(&mut self, _: &mut Context<Self>) {}

    /// Takes an input in and carries out what follows. Does nothing where the runtime has ended.
    fn input(&mut self, input: Self::Input, context: &mut Context<Self>) {
        if !runtime::is_there() {
            return;
        }
        let mut effects = std::mem::take(self.effects());
        self.step(reactor_now(), input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect, context);
        }
        *self.effects() = effects;
        self.after_input(context);
    }
}

/// Calls `then` after this time, unless the actor or the runtime has ended.
pub(crate) fn run_later<A: Actor<Context = Context<A>>>(
    context: &mut Context<A>,
    after: Duration,
    then: impl FnOnce(&mut A, &mut Context<A>) + 'static,
) {
    if runtime::is_there() {
        context.run_later(after, then);
    }
}

#[cfg(test)]
mod tests {
    use actix::{Handler, Message};

    use super::*;

    /// Due at the last of these times; notes when it was called.
    #[derive(Default)]
    struct Alarm {
        timer: Timer,
        due: Option<Instant>,
        calls: Vec<Instant>,
    }

    impl Actor for Alarm {
        type Context = Context<Self>;
    }

    impl Timed for Alarm {
        fn timer(&mut self) -> &mut Timer {
            &mut self.timer
        }

        fn due(&self) -> Option<Instant> {
            self.due
        }

        fn on_time(&mut self, context: &mut Context<Self>) {
            let now = reactor_now();
            self.calls.push(now);
            self.due = self.due.filter(|due| *due > now);
            self.set_timer(context);
        }
    }

    #[derive(Message)]
    #[rtype(result = "Vec<Instant>")]
    struct Due(Vec<Option<Duration>>);

    impl Handler<Due> for Alarm {
        type Result = Vec<Instant>;

        fn handle(&mut self, Due(times): Due, context: &mut Context<Self>) -> Vec<Instant> {
            for time in times {
                self.due = time.map(|time| reactor_now() + time);
                self.set_timer(context);
            }
            std::mem::take(&mut self.calls)
        }
    }

    /// The seconds after which an alarm that is set to these, one after the other, is called.
    async fn calls(times: &[Option<u64>]) -> Vec<u64> {
        let start = reactor_now();
        let alarm = Alarm::default().start();
        let set = times.iter().map(|time| time.map(Duration::from_secs)).collect();
        alarm.send(Due(set)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(100)).await;
        let calls = alarm.send(Due(Vec::new())).await.unwrap();
        calls.into_iter().map(|call| (call - start).as_secs()).collect()
    }

    #[actix_rt::test]
    async fn a_timer_is_brought_forward_and_comes_again_when_it_came_too_early() {
        tokio::time::pause();
        assert_eq!(calls(&[Some(9), Some(4)]).await, [4]);
        assert_eq!(calls(&[Some(4), Some(9)]).await, [4, 9]);
    }

    #[actix_rt::test]
    async fn a_timer_that_is_not_due_any_more_does_not_come() {
        tokio::time::pause();
        assert_eq!(calls(&[Some(4), None]).await, [0; 0]);
        assert_eq!(calls(&[Some(4), None, Some(9)]).await, [9]);
    }
}
