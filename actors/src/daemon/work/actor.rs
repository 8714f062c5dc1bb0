//! A session's actor: the core's shell.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Instant;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    ResponseActFuture, SpawnHandle,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Pack;
use flotilla_messages::packet::WorkPacket;
use flotilla_messages::port::work::WorkMessage;
use flotilla_messages::untrusted::{LONG, SHORT, untrusted_text};
use tokio::sync::oneshot;

use super::fetch::{Dialler, FetchRequest, Fetcher, Quit};
use super::handler::{Serve, SessionOver, WorkHandler};
use super::input_store::{Clear, InputStore, Laid, LayOut, Put, StoreError, Survey};
use super::job::{Job, Place, Preparation};
use super::session::{Effect, Input, Session};
use super::settings::WorkSettings;
use crate::execution::executor::{News, What};
use crate::execution::marker::RunId;
use crate::kit::runtime;
use crate::kit::{reactor_now, unix_seconds};
use crate::net::link::{Close, Link, LinkId, Say};

/// The client said this. Answered when it is dealt with, or, if it is a pack, when the one before it is stored: nothing
/// more is read from the client before.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Heard(pub WorkMessage);

/// Something happened that the core has to know.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell(pub Input);

/// Asks how many processes run.
#[derive(Message)]
#[rtype(result = "u16")]
pub struct Running;

/// What a session works with.
#[derive(Clone)]
pub struct SessionDeps {
    /// Inputs on disk.
    pub stocks: Addr<InputStore>,
    /// How to work.
    pub settings: Rc<WorkSettings>,
    /// Tests at a time.
    pub jobs: NonZeroUsize,
    /// How other peers are reached.
    pub dialler: Dialler,
}

/// Whom a session works for.
pub struct Client {
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
    client: Client,
    shop: SessionDeps,
    handler: Addr<WorkHandler>,
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
    timer: Option<(Instant, SpawnHandle)>,
    effects: Vec<Effect>,
}

impl WorkSession {
    /// It is this client's turn.
    pub fn new(core: Session, client: Client, shop: SessionDeps, handler: Addr<WorkHandler>) -> Self {
        Self {
            core,
            client,
            shop,
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
            timer: None,
            effects: Vec::new(),
        }
    }

    fn input(&mut self, input: Input, context: &mut Context<Self>) {
        if !runtime::is_there() {
            return;
        }
        let mut effects = std::mem::take(&mut self.effects);
        self.core.handle(reactor_now(), input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect, context);
        }
        self.effects = effects;
        self.set_timer(context);
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            // What it may hold is bounded by the credit; a link that does not take it ends.
            Effect::Say(message) => self.client.link.do_send(Say(message)),
            Effect::Admitted(packet) => {
                self.audit(&packet);
                self.packet = Some(packet);
            }
            Effect::Survey => self.survey(context),
            Effect::Store(pack) => self.arriving = Some(pack),
            Effect::Fetch { blobs, holder, address } => {
                let errand = FetchRequest { client: self.client.key, blobs, holder, address };
                let SessionDeps { stocks, dialler, .. } = &self.shop;
                self.fetchers.push(Fetcher::start(errand, dialler, stocks.clone(), context.address()));
            }
            Effect::Serve(blobs) => {
                self.handler.do_send(Serve { link: self.client.link.clone(), blobs });
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
        let survey = Survey { client: self.client.key, root: packet.root };
        let asked = wrap_future::<_, Self>(self.shop.stocks.send(survey));
        context.spawn(asked.map(|answer, this, context| {
            let input = match answer {
                Ok(Ok(missing)) => Input::Surveyed(missing),
                Ok(Err(error)) => broken(&error),
                Err(_) => this.no_stocks(),
            };
            this.input(input, context);
        }));
    }

    fn lay_out(&mut self, context: &mut Context<Self>) {
        let run = RunId::random();
        let asked = wrap_future::<_, Self>(self.shop.stocks.send(LayOut { tmp: run.to_string() }));
        context.spawn(asked.map(|answer, this, context| match answer {
            Ok(Ok(Laid::Out { root, tmp })) => this.start(run, &Place { root, tmp }, context),
            Ok(Ok(Laid::Lacking)) => this.input(Input::Lacking, context),
            Ok(Err(error)) => this.input(broken(&error), context),
            Err(_) => {
                let input = this.no_stocks();
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
        let SessionDeps { settings, jobs, .. } = &self.shop;
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
    fn no_stocks(&self) -> Input {
        Input::Broken("internal error: the actor that keeps the inputs has ended".into())
    }

    /// Ends what runs; when nothing is left of it, the next client's turn comes.
    fn end(&mut self, context: &mut Context<Self>) {
        self.fetchers.drain(..).for_each(|fetcher| fetcher.do_send(Quit));
        if let Some(job) = &self.job {
            job.stop();
        }
        if self.preparing || self.ending {
            return;
        }
        self.ending = true;
        let job = self.job.take();
        let stocks = self.shop.stocks.clone();
        let cleaned = async move {
            if let Some(job) = job {
                // Nobody waits for what a panic there says: the guard is dropped, and the reaper does the rest.
                let _ = actix_rt::task::spawn_blocking(move || job.clean_up()).await;
            }
            stocks.send(Clear).await.is_ok()
        };
        context.spawn(wrap_future::<_, Self>(cleaned).map(|cleaned, this, context| {
            this.ended = cleaned;
            context.stop();
        }));
    }

    fn set_timer(&mut self, context: &mut Context<Self>) {
        let Some(deadline) = self.core.deadline() else { return };
        // One that comes too early does no harm.
        if let Some((at, handle)) = self.timer {
            if at <= deadline {
                return;
            }
            context.cancel_future(handle);
        }
        let handle = context.run_later(deadline.saturating_duration_since(reactor_now()), |this, context| {
            this.timer = None;
            this.input(Input::Time, context);
        });
        self.timer = Some((deadline, handle));
    }
}

fn broken(error: &StoreError) -> Input {
    Input::Broken(error.to_string())
}

impl Actor for WorkSession {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.set_timer(context);
    }
}

impl Drop for WorkSession {
    /// However it ends, the handler hears of it.
    fn drop(&mut self) {
        self.handler.do_send(SessionOver { id: self.client.id, in_order: self.ended });
    }
}

impl Handler<Heard> for WorkSession {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, Heard(message): Heard, context: &mut Self::Context) -> Self::Result {
        self.input(Input::Said(message), context);
        let Some(pack) = self.arriving.take() else { return Box::pin(ready(())) };
        let stored = wrap_future::<_, Self>(self.shop.stocks.send(Put(pack)));
        let (done, storing) = oneshot::channel();
        let before = self.storing.replace(storing);
        context.spawn(stored.map(|stored, this, context| {
            let input = match stored {
                Ok(Ok(left)) => Input::Stored { left },
                Ok(Err(error)) => broken(&error),
                Err(_) => this.no_stocks(),
            };
            this.input(input, context);
            // Nobody waits if nothing came after it.
            let _ = done.send(());
        }));
        // The next one is received and unpacked while this one is written.
        Box::pin(wrap_future::<_, Self>(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
        }))
    }
}

impl Handler<Tell> for WorkSession {
    type Result = ();

    fn handle(&mut self, Tell(input): Tell, context: &mut Self::Context) {
        self.input(input, context);
    }
}

impl Handler<Running> for WorkSession {
    type Result = MessageResult<Running>;

    fn handle(&mut self, _: Running, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.core.running())
    }
}

impl Handler<News> for WorkSession {
    type Result = ();

    fn handle(&mut self, News { what, .. }: News, context: &mut Self::Context) {
        let input = match what {
            What::Started { lease, name } => Input::Started { lease: lease.0, name },
            // Only proxies say that.
            What::Queued { .. } => return,
            What::Finished { lease, ending } => Input::Finished { lease: lease.0, ending },
            What::Lost { reason } => Input::Broken(reason),
            What::Ready { .. } | What::Suspected | What::Recovered => return,
        };
        self.input(input, context);
    }
}
