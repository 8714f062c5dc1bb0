//! A session's actor: the core's shell.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Instant;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    Recipient, ResponseActFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Pack;
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::port::work::WorkMessage;
use flotilla_messages::untrusted::{LONG, SHORT, untrusted_text};
use tokio::sync::oneshot;

use super::fetch::{Dialler, FetchRequest, Fetcher, StopFetch};
use super::input_store::{CleanUp, InputStore, Laid, LayOut, Put, StoreError, SurveyInputs};
use super::job::{Job, Place, Preparation};
use super::messages::{FetchEnded, NOT_TRUSTED, SessionEvent};
use super::session::{Effect, Input, Session};
use super::settings::WorkSettings;
use crate::execution::executor::{ExecutorEvent, ExecutorEventKind};
use crate::execution::marker::RunId;
use crate::kit::runtime;
use crate::kit::shell::{CoreActor, Timed, Timer};
use crate::kit::{reactor_now, unix_seconds};
use crate::net::link::{Close, Link, LinkEvent, LinkId, LinkNews, SendMessage};
use crate::trust::TrustedKeys;

/// The handler tells a session what its core has to know.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SessionInput(pub Input);

/// Asks how many processes run.
#[derive(Message)]
#[rtype(result = "u16")]
pub struct GetRunning;

/// The actors and settings that a session uses.
#[derive(Clone)]
pub struct SessionDeps {
    /// The keys that may be served.
    pub trusted: TrustedKeys,
    /// Inputs on disk.
    pub inputs: Addr<InputStore>,
    /// How to work.
    pub settings: Rc<WorkSettings>,
    /// Tests at a time.
    pub jobs: NonZeroUsize,
    /// How other peers are reached.
    pub dialler: Dialler,
}

/// The client that a session serves.
pub struct ServedClient {
    /// Its link's number at the handler.
    pub id: LinkId,
    /// Its key.
    pub key: Fingerprint,
    /// Its link.
    pub link: Addr<Link<WorkMessage>>,
}

/// Works for one client, from its turn to its end.
pub struct WorkSession {
    core: Session,
    client: ServedClient,
    deps: SessionDeps,
    handler: Recipient<SessionEvent>,
    packet: Option<Box<WorkPacket>>,
    /// A pack on its way to the disk.
    arriving: Option<Pack>,
    /// Hears when the last one before it is there.
    storing: Option<oneshot::Receiver<()>>,
    job: Option<Job>,
    /// What gets blobs from other peers.
    fetchers: Vec<Addr<Fetcher>>,
    /// The job's preparation runs on another thread.
    preparing: bool,
    /// Cleaning up has begun.
    ending: bool,
    /// And is through.
    ended: bool,
    since: Instant,
    timer: Timer,
    effects: Vec<Effect>,
}

impl WorkSession {
    /// It is this client's turn.
    pub fn new(
        core: Session,
        client: ServedClient,
        deps: SessionDeps,
        handler: Recipient<SessionEvent>,
    ) -> Self {
        Self {
            core,
            client,
            deps,
            handler,
            packet: None,
            arriving: None,
            storing: None,
            job: None,
            fetchers: Vec::new(),
            preparing: false,
            ending: false,
            ended: false,
            since: reactor_now(),
            timer: Timer::default(),
            effects: Vec::new(),
        }
    }

    /// Who asked for what: said before anything of it is done.
    fn audit(&self, packet: &WorkPacket) {
        let clock = unix_seconds();
        let made = i128::from(clock) - i128::from(packet.issued);
        log::info!(
            target: "work",
            "work of {} begins: tree {} ({:?}), {} tests so far, for {}, asked for {made} s ago by its clock",
            self.client.key, packet.root, untrusted_text(&packet.client_root, SHORT), packet.tests, packet.engine
        );
    }

    fn survey(&mut self, context: &mut Context<Self>) {
        let Some(packet) = &self.packet else { return };
        let survey = SurveyInputs { client: self.client.key, root: packet.root };
        let asked = wrap_future::<_, Self>(self.deps.inputs.send(survey));
        context.spawn(asked.map(|answer, this, context| {
            let input = match answer {
                Ok(Ok(missing)) => Input::Surveyed(missing),
                Ok(Err(error)) => broken(&error),
                Err(_) => this.no_inputs(),
            };
            this.input(input, context);
        }));
    }

    /// Stores the pack that has just come, if one has. The answer comes when the one before it is stored: the next one is
    /// received and unpacked while this one is written.
    fn store(&mut self, context: &mut Context<Self>) -> ResponseActFuture<Self, ()> {
        let Some(pack) = self.arriving.take() else { return Box::pin(ready(())) };
        let stored = wrap_future::<_, Self>(self.deps.inputs.send(Put(pack)));
        let (done, storing) = oneshot::channel();
        let before = self.storing.replace(storing);
        context.spawn(stored.map(|stored, this, context| {
            let input = match stored {
                Ok(Ok(left)) => Input::Stored { left },
                Ok(Err(error)) => broken(&error),
                Err(_) => this.no_inputs(),
            };
            this.input(input, context);
            // Nobody waits if nothing came after it.
            let _ = done.send(());
        }));
        Box::pin(wrap_future::<_, Self>(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
        }))
    }

    fn lay_out(&mut self, context: &mut Context<Self>) {
        let run = RunId::random();
        let asked = wrap_future::<_, Self>(self.deps.inputs.send(LayOut { tmp: run.to_string() }));
        context.spawn(asked.map(|answer, this, context| match answer {
            Ok(Ok(Laid::Out { root, tmp })) => this.start(run, &Place { root, tmp }, context),
            Ok(Ok(Laid::Lacking)) => this.input(Input::Lacking, context),
            Ok(Err(error)) => this.input(broken(&error), context),
            Err(_) => {
                let input = this.no_inputs();
                this.input(input, context);
            }
        }));
    }

    fn start(&mut self, run: RunId, place: &Place, context: &mut Context<Self>) {
        if self.core.is_over() || !runtime::is_there() {
            return;
        }
        let Some(packet) = &self.packet else { return };
        let session = context.address().recipient();
        let SessionDeps { settings, jobs, .. } = &self.deps;
        let started = Job::start(run, packet, place, settings, *jobs, session);
        let preparation = match started {
            Ok((job, preparation)) => {
                self.job = Some(job);
                preparation
            }
            Err(error) => {
                let reason = format!("cannot prepare for running tests: {error}");
                return self.input(Input::Broken(reason), context);
            }
        };
        self.preparing = true;
        let carried_out = actix_rt::task::spawn_blocking(|| Preparation::carry_out(preparation));
        context.spawn(wrap_future::<_, Self>(carried_out).map(|carried_out, this, context| {
            this.preparing = false;
            let (guard, probed) =
                carried_out.unwrap_or_else(|_| (None, Err("internal error: the probe broke".into())));
            if let Some(job) = &mut this.job {
                job.guarded(guard);
            }
            if this.core.is_over() {
                return this.end(context);
            }
            this.input(probed.map_or_else(Input::Broken, |()| Input::Prepared), context);
        }));
    }

    /// Without the actor that keeps the inputs this daemon is of no use.
    fn no_inputs(&self) -> Input {
        Input::Broken("internal error: the actor that keeps the inputs has ended".into())
    }

    /// Ends what runs; when nothing is left of it, the next client's turn comes.
    fn end(&mut self, context: &mut Context<Self>) {
        self.fetchers.drain(..).for_each(|fetcher| fetcher.do_send(StopFetch));
        if let Some(job) = &self.job {
            job.stop();
        }
        if self.preparing || self.ending {
            return;
        }
        self.ending = true;
        let job = self.job.take();
        let inputs = self.deps.inputs.clone();
        let cleaned = async move {
            if let Some(job) = job {
                // Nobody waits for what a panic there says: the guard is dropped, and the reaper does the rest.
                let _ = actix_rt::task::spawn_blocking(move || job.clean_up()).await;
            }
            inputs.send(CleanUp).await.is_ok()
        };
        context.spawn(wrap_future::<_, Self>(cleaned).map(|cleaned, this, context| {
            this.ended = cleaned;
            context.stop();
        }));
    }
}

fn broken(error: &StoreError) -> Input {
    Input::Broken(error.to_string())
}

impl Timed for WorkSession {
    fn timer(&mut self) -> &mut Timer {
        &mut self.timer
    }

    fn due(&self) -> Option<Instant> {
        self.core.deadline()
    }

    fn on_time(&mut self, context: &mut Context<Self>) {
        self.input(Input::Time, context);
    }
}

impl CoreActor for WorkSession {
    type Input = Input;
    type Effect = Effect;

    fn effects(&mut self) -> &mut Vec<Effect> {
        &mut self.effects
    }

    fn step(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        self.core.handle(now, input, effects);
    }

    fn after_input(&mut self, context: &mut Context<Self>) {
        self.set_timer(context);
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            // What it may hold is bounded by the credit; a link that does not take it ends.
            Effect::Send(message) => self.client.link.do_send(SendMessage(message)),
            Effect::Admitted(packet) => {
                self.audit(&packet);
                self.packet = Some(packet);
            }
            Effect::Survey => self.survey(context),
            Effect::Store(pack) => self.arriving = Some(pack),
            Effect::Fetch { blobs, holder, address } => {
                let request = FetchRequest { client: self.client.key, blobs, holder, address };
                let SessionDeps { inputs, dialler, .. } = &self.deps;
                let ended = context.address().recipient();
                self.fetchers.push(Fetcher::start(request, dialler, inputs.clone(), ended));
            }
            Effect::Serve(blobs) => {
                self.handler.do_send(SessionEvent::Serve { link: self.client.link.clone(), blobs });
            }
            Effect::Prepare => self.lay_out(context),
            Effect::Run(leases) => {
                if let Some(job) = &self.job {
                    job.run(leases);
                }
            }
            Effect::Withdraw(leases) => {
                if let Some(job) = &self.job {
                    job.withdraw(leases);
                }
            }
            Effect::Close(reason) => self.client.link.do_send(Close { reason }),
            Effect::Over(reason) => {
                let done = self.core.done();
                log::info!(
                    target: "work",
                    "work of {} ended: {:?}; {} tests ran, {} of them not as expected, {} others, in {:.1} s",
                    self.client.key, untrusted_text(reason, LONG), done.ran, done.unexpected, done.others, self.since.elapsed().as_secs_f32()
                );
                self.end(context);
            }
        }
    }
}

impl Actor for WorkSession {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.set_timer(context);
    }
}

impl Drop for WorkSession {
    /// However it ends, the handler is told.
    fn drop(&mut self) {
        self.handler.do_send(SessionEvent::Ended { link: self.client.id, in_order: self.ended });
    }
}

impl Handler<LinkNews<WorkMessage>> for WorkSession {
    type Result = ResponseActFuture<Self, ()>;

    /// Answered when a message is dealt with, or, if it is a pack, when the one before it is stored: nothing more is read
    /// from the client before.
    fn handle(&mut self, news: LinkNews<WorkMessage>, context: &mut Self::Context) -> Self::Result {
        match news.what {
            // The link has asked before it passed the message on; trust may have been withdrawn since.
            LinkEvent::Message(_) if !self.deps.trusted.contains(self.client.key) => {
                self.input(Input::Refuse(NOT_TRUSTED.into()), context);
            }
            LinkEvent::Message(message) => {
                self.input(Input::Said(message), context);
                return self.store(context);
            }
            LinkEvent::Ended(end) => self.input(Input::LinkEnded(end.to_string()), context),
            // The handler has seen it come up.
            LinkEvent::Up(_) | LinkEvent::Suspected | LinkEvent::Recovered => {}
        }
        Box::pin(ready(()))
    }
}

impl Handler<FetchEnded> for WorkSession {
    type Result = ();

    fn handle(&mut self, FetchEnded { left, missing }: FetchEnded, context: &mut Self::Context) {
        self.input(Input::Fetched { left, missing }, context);
    }
}

impl Handler<SessionInput> for WorkSession {
    type Result = ();

    fn handle(&mut self, SessionInput(input): SessionInput, context: &mut Self::Context) {
        self.input(input, context);
    }
}

impl Handler<GetRunning> for WorkSession {
    type Result = MessageResult<GetRunning>;

    fn handle(&mut self, _: GetRunning, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.core.running())
    }
}

impl Handler<ExecutorEvent> for WorkSession {
    type Result = ();

    fn handle(&mut self, ExecutorEvent { kind: what, .. }: ExecutorEvent, context: &mut Self::Context) {
        let input = match what {
            ExecutorEventKind::Started { lease, name } => Input::Started { lease: lease.0, name },
            // Only proxies say that.
            ExecutorEventKind::Queued { .. } => return,
            ExecutorEventKind::Finished { lease, ending } => Input::Finished { lease: lease.0, ending },
            ExecutorEventKind::Lost { reason } => Input::Broken(reason),
            ExecutorEventKind::Ready { .. } | ExecutorEventKind::Suspected | ExecutorEventKind::Recovered => {
                return;
            }
        };
        self.input(input, context);
    }
}
