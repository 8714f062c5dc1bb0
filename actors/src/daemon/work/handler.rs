//! The actor of the Work port: whose turn it is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    Recipient, ResponseActFuture, SyncArbiter,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Digest;
use flotilla_messages::port::work::WorkMessage;
use tokio::sync::oneshot;

use super::actor::{GetRunning, ServedClient, SessionDeps, SessionInput, WorkSession};
use super::admission::AdmissionPolicy;
use super::fetch::{self, Dialler, MOST_SERVED};
use super::input_store::{self, InputStore, StorePaths};
use super::messages::{Guests, NOT_TRUSTED, SessionEvent};
use super::queue::{ClientQueue, Effect, Input};
use super::session::{self, Session};
use super::settings::WorkSettings;
use crate::content::engine::Host;
use crate::daemon::DaemonEvent;
use crate::daemon::status::{Gates, StatusGate};
use crate::kit::shell::CoreActor;
use crate::kit::{DeathWatch, reactor_now};
use crate::net::link::{ChangeOwner, Close, Link, LinkEvent, LinkId, LinkNews, Listening, SendMessage};
use crate::trust::{Decision, TrustedKeys};

/// How often it is looked how many tests run, while somebody's do.
const LOOK: Duration = Duration::from_secs(1);
/// How long the end waits for a job to be cleaned up.
const CLEANED: Duration = Duration::from_secs(10);

/// What this machine is to its clients.
pub struct WorkDependencies {
    /// The own key's name.
    pub own: Fingerprint,
    /// Who may have links.
    pub trusted: TrustedKeys,
    /// Tests at a time.
    pub jobs: u16,
    /// Where inputs are kept.
    pub store_paths: StorePaths,
    /// How to work.
    pub settings: WorkSettings,
    /// How other peers are reached.
    pub dialler: Dialler,
}

/// Serves runners of trusted peers, one at a time: the shell of `ClientQueue`.
pub struct WorkHandler {
    own: Fingerprint,
    jobs: u16,
    host: Arc<Host>,
    deps: SessionDeps,
    /// Counts the peers that fetch blobs here.
    served: Rc<()>,
    /// Job slots that this machine's own user has claimed.
    claimed: u16,
    queue: ClientQueue,
    /// The clients that wait.
    waiting: BTreeMap<LinkId, WaitingClient>,
    /// The client that is served. Its session owns the link.
    serving: Option<(LinkId, Addr<WorkSession>)>,
    /// Who is told how busy clients keep this machine.
    load: Recipient<Guests>,
    /// None once it has been stopped.
    listening: Option<Listening>,
    /// Who waits for the session's end.
    stopping: Option<oneshot::Sender<()>>,
    effects: Vec<Effect>,
    watch: DeathWatch<DaemonEvent>,
}

/// A client whose turn is still to come.
struct WaitingClient {
    key: Fingerprint,
    exporter: [u8; 32],
    link: Addr<Link<WorkMessage>>,
}

/// Asks how many clients are served or wait.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "u16")]
pub struct Queued;

/// This many job slots are claimed by this machine's own user.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Claimed(pub u16);

/// Say Bye to all, take no more, and end: answered when nothing of any job is left.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct StopWork {
    /// Why, for the people at the other ends.
    pub reason: String,
}

impl WorkHandler {
    /// Behind this port. To be made in a System. Reads some of this machine's libraries, which takes a few milliseconds.
    pub fn new(
        listening: Listening,
        dependencies: WorkDependencies,
        load: Recipient<Guests>,
        watch: DeathWatch<DaemonEvent>,
    ) -> Self {
        let WorkDependencies { own, trusted, jobs, store_paths, settings, dialler } = dependencies;
        let inputs = SyncArbiter::start(1, move || InputStore::new(store_paths.clone()));
        let threads = NonZeroUsize::new(jobs.into()).unwrap_or(NonZeroUsize::MIN);
        Self {
            own,
            jobs,
            host: Arc::new(Host::look()),
            deps: SessionDeps { trusted, inputs, settings: Rc::new(settings), jobs: threads, dialler },
            served: Rc::new(()),
            claimed: 0,
            queue: ClientQueue::default(),
            waiting: BTreeMap::new(),
            serving: None,
            load,
            listening: Some(listening),
            stopping: None,
            effects: Vec::new(),
            watch,
        }
    }

    /// Starts the session of the client whose turn it is.
    fn begin(&mut self, id: LinkId, context: &mut Context<Self>) {
        let Some(WaitingClient { key, exporter, link }) = self.waiting.remove(&id) else { return };
        let policy = AdmissionPolicy { client: key, own: self.own, exporter, host: Arc::clone(&self.host) };
        let patience = self.deps.settings.patience;
        let core = Session::new(reactor_now(), policy, patience, self.jobs, self.claimed);
        link.do_send(SendMessage(WorkMessage::Queue { ahead: 0 }));
        let client = ServedClient { id, key, link: link.clone() };
        let deps = self.deps.clone();
        let session = WorkSession::new(core, client, deps, context.address().recipient()).start();
        link.do_send(ChangeOwner(session.clone().recipient()));
        self.serving = Some((id, session));
    }

    fn tell_session(&self, input: session::Input) {
        if let Some((_, session)) = &self.serving {
            session.do_send(SessionInput(input));
        }
    }

    fn look(&mut self, context: &mut Context<Self>) {
        let Some((link, session)) = &self.serving else { return };
        let link = *link;
        let asked = wrap_future::<_, Self>(session.send(GetRunning));
        context.spawn(asked.map(move |running, this, context| {
            if let Ok(running) = running {
                this.input(Input::Running { link, running }, context);
            }
        }));
    }

    /// Gives a peer blobs, beside whatever else is done, unless that is done for too many.
    fn serve(&self, link: Addr<Link<WorkMessage>>, blobs: Vec<Digest>) {
        if Rc::strong_count(&self.served) > MOST_SERVED {
            return refuse(&link, "too many fetch from here");
        }
        actix_rt::spawn(fetch::serve(link, self.deps.inputs.clone(), blobs, Rc::clone(&self.served)));
    }
}

fn refuse(link: &Addr<Link<WorkMessage>>, reason: &str) {
    link.do_send(SendMessage(WorkMessage::Refused { reason: reason.into() }));
    link.do_send(Close { reason: reason.into() });
}

impl CoreActor for WorkHandler {
    type Input = Input;
    type Effect = Effect;

    fn effects(&mut self) -> &mut Vec<Effect> {
        &mut self.effects
    }

    fn step(&mut self, _: Instant, input: Input, effects: &mut Vec<Effect>) {
        self.queue.handle(input, effects);
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) {
        match effect {
            Effect::TellAhead { link, ahead } => {
                if let Some(client) = self.waiting.get(&link) {
                    client.link.do_send(SendMessage(WorkMessage::Queue { ahead }));
                }
            }
            Effect::Begin(link) => self.begin(link, context),
            Effect::Give { link, blobs } => {
                if let Some(client) = self.waiting.remove(&link) {
                    self.serve(client.link, blobs);
                }
            }
            Effect::Refuse { link, reason } => {
                if let Some(client) = self.waiting.remove(&link) {
                    refuse(&client.link, reason);
                }
            }
            Effect::Close { link, reason } => {
                if let Some(client) = self.waiting.remove(&link) {
                    client.link.do_send(Close { reason });
                }
            }
            Effect::Others(others) => self.tell_session(session::Input::Others(others)),
            Effect::RefuseSession => self.tell_session(session::Input::Refuse(NOT_TRUSTED.into())),
            Effect::StopSession(reason) => self.tell_session(session::Input::Stop(reason)),
            Effect::Load(guests) => self.load.do_send(guests),
        }
    }
}

impl Actor for WorkHandler {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(LOOK, Self::look);
    }
}

impl Handler<LinkNews<WorkMessage>> for WorkHandler {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, news: LinkNews<WorkMessage>, context: &mut Self::Context) -> Self::Result {
        let link = news.link;
        // It was on its way when the link changed its owner.
        if let Some((_, session)) = self.serving.as_ref().filter(|(serving, _)| *serving == link) {
            return Box::pin(wrap_future::<_, Self>(session.send(news)).map(|_, _, _| ()));
        }
        match news.what {
            LinkEvent::Up(up) => {
                let key = up.peer;
                self.waiting.insert(link, WaitingClient { key, exporter: up.exporter, link: up.link });
                self.input(Input::Arrived { link, key }, context);
            }
            LinkEvent::Message(message) => {
                let client = self.waiting.get(&link);
                let trusted = client.is_some_and(|client| self.deps.trusted.contains(client.key));
                self.input(Input::Message { link, message, trusted }, context);
            }
            LinkEvent::Ended(_) => {
                self.waiting.remove(&link);
                self.input(Input::LinkEnded(link), context);
            }
            LinkEvent::Suspected | LinkEvent::Recovered => {}
        }
        Box::pin(ready(()))
    }
}

impl Handler<SessionEvent> for WorkHandler {
    type Result = ();

    fn handle(&mut self, event: SessionEvent, context: &mut Self::Context) {
        match event {
            SessionEvent::Serve { link, blobs } => {
                link.do_send(ChangeOwner(context.address().recipient()));
                self.serve(link, blobs);
            }
            SessionEvent::Ended { link, in_order } => {
                if self.serving.as_ref().is_none_or(|(serving, _)| *serving != link) {
                    return;
                }
                self.serving = None;
                if !in_order {
                    log::error!(target: "work", "a session did not end in order");
                    self.watch.give_up();
                }
                if let Some(stopping) = self.stopping.take() {
                    // The one who waited may have lost patience.
                    let _ = stopping.send(());
                }
                self.input(Input::SessionEnded(link), context);
            }
        }
    }
}

impl Handler<Decision> for WorkHandler {
    type Result = ();

    fn handle(&mut self, decision: Decision, context: &mut Self::Context) {
        if let Decision::Distrusted(key) = decision {
            self.input(Input::Distrusted(key), context);
        }
    }
}

impl Handler<Queued> for WorkHandler {
    type Result = MessageResult<Queued>;

    fn handle(&mut self, _: Queued, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.queue.clients())
    }
}

impl Handler<Claimed> for WorkHandler {
    type Result = ();

    fn handle(&mut self, Claimed(claimed): Claimed, _: &mut Self::Context) {
        self.claimed = claimed;
        self.tell_session(session::Input::Claimed(claimed));
    }
}

impl Handler<Gates> for WorkHandler {
    type Result = MessageResult<Gates>;

    fn handle(&mut self, _: Gates, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.listening.as_ref().map(StatusGate::from))
    }
}

impl Handler<StopWork> for WorkHandler {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, StopWork { reason }: StopWork, context: &mut Self::Context) -> Self::Result {
        self.listening = None;
        self.input(Input::Stop(reason), context);
        let over = self.serving.as_ref().map(|_| {
            let (stopping, over) = oneshot::channel();
            self.stopping = Some(stopping);
            over
        });
        let inputs = self.deps.inputs.clone();
        let stopped = async move {
            if let Some(over) = over
                && tokio::time::timeout(CLEANED, over).await.is_err()
            {
                log::warn!(target: "work", "a job is not cleaned up in time");
            }
            // It is gone already if it has panicked.
            let _ = inputs.send(input_store::StopInputStore).await;
        };
        Box::pin(wrap_future::<_, Self>(stopped).map(|(), _, context| context.stop()))
    }
}
