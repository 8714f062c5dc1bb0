//! The actor of the Work port: whose turn it is.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    Recipient, ResponseActFuture, SyncArbiter,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Digest;
use flotilla_messages::port::work::{MOST_FETCHED, WorkMessage};
use tokio::sync::oneshot;

use super::actor::{Client, Heard, Running, SessionDeps, Tell, WorkSession};
use super::admission::AdmissionPolicy;
use super::fetch::{self, Dialler, MOST_SERVED};
use super::input_store::{InputStore, Shut, StorePaths};
use super::session::{Input, Session};
use super::settings::WorkSettings;
use crate::content::engine::Host;
use crate::daemon::DaemonEvent;
use crate::daemon::status::{Gate, Gates};
use crate::kit::DeathWatch;
use crate::net::link::{Close, Link, LinkEvent, LinkId, LinkNews, Listening, Say};
use crate::trust::{Decision, TrustedKeys};

/// How often it is looked how many tests run, while somebody's do.
const LOOK: Duration = Duration::from_secs(1);
/// How long the end waits for a job to be cleaned up.
const CLEANED: Duration = Duration::from_secs(10);

/// What this machine is to its clients.
pub struct Facts {
    /// The own key's name.
    pub own: Fingerprint,
    /// Who may have links.
    pub trusted: TrustedKeys,
    /// Tests at a time.
    pub jobs: u16,
    /// Where inputs are kept.
    pub shelves: StorePaths,
    /// How to work.
    pub settings: WorkSettings,
    /// How other peers are reached.
    pub dialler: Dialler,
}

/// Serves runners of trusted peers, one at a time, in the order in which they came.
pub struct WorkHandler {
    own: Fingerprint,
    trusted: TrustedKeys,
    jobs: u16,
    host: Arc<Host>,
    shop: SessionDeps,
    /// Counts the peers that fetch blobs here.
    served: Rc<()>,
    /// Job slots that this machine's own user has claimed.
    claimed: u16,
    current: Option<Current>,
    waiting: VecDeque<Waiting>,
    /// Who is told how busy the guests keep this machine, and what it was told.
    load: Recipient<Guests>,
    guests: Guests,
    /// None once it has parted.
    listening: Option<Listening>,
    /// The session's end is waited for.
    parting: Option<oneshot::Sender<()>>,
    watch: DeathWatch<DaemonEvent>,
}

/// The client whose turn it is.
struct Current {
    id: LinkId,
    key: Fingerprint,
    session: Addr<WorkSession>,
    running: u16,
}

/// One whose turn is still to come.
struct Waiting {
    id: LinkId,
    key: Fingerprint,
    exporter: [u8; 32],
    link: Addr<Link<WorkMessage>>,
}

/// How busy guests keep this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Guests {
    /// Tests that run for them.
    pub running: u16,
    /// Clients that are served or wait.
    pub clients: u16,
}

/// Asks how many clients are served or wait.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "u16")]
pub struct Queued;

/// This many job slots are claimed by this machine's own user.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Claimed(pub u16);

/// A peer wants blobs.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Serve {
    /// Its link.
    pub link: Addr<Link<WorkMessage>>,
    /// What it wants.
    pub blobs: Vec<Digest>,
}

/// A session is no more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SessionOver {
    /// Its client's link.
    pub id: LinkId,
    /// Whether nothing is left of its job.
    pub in_order: bool,
}

/// Say Bye to all, take no more, and end: answered when nothing of any job is left.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Part {
    /// Why, for the people at the other ends.
    pub reason: String,
}

impl WorkHandler {
    /// Behind this port. To be made in a System. Reads some of this machine's libraries, which takes a few milliseconds.
    pub fn new(
        listening: Listening,
        facts: Facts,
        load: Recipient<Guests>,
        watch: DeathWatch<DaemonEvent>,
    ) -> Self {
        let Facts { own, trusted, jobs, shelves, settings, dialler } = facts;
        let stocks = SyncArbiter::start(1, move || InputStore::new(shelves.clone()));
        let threads = NonZeroUsize::new(jobs.into()).unwrap_or(NonZeroUsize::MIN);
        Self {
            own,
            trusted,
            jobs,
            host: Arc::new(Host::look()),
            shop: SessionDeps { stocks, settings: Rc::new(settings), jobs: threads, dialler },
            served: Rc::new(()),
            claimed: 0,
            current: None,
            waiting: VecDeque::new(),
            load,
            guests: Guests::default(),
            listening: Some(listening),
            parting: None,
            watch,
        }
    }

    fn clients(&self) -> u16 {
        let clients = self.waiting.len() + usize::from(self.current.is_some());
        u16::try_from(clients).unwrap_or(u16::MAX)
    }

    /// Begins to serve the next client, if none is being served.
    fn next(&mut self, context: &mut Context<Self>) {
        if self.current.is_none()
            && self.listening.is_some()
            && let Some(Waiting { id, key, exporter, link }) = self.waiting.pop_front()
        {
            let terms =
                AdmissionPolicy { client: key, own: self.own, exporter, host: Arc::clone(&self.host) };
            let now = tokio::time::Instant::now().into_std();
            let patience = self.shop.settings.patience;
            let core = Session::new(now, terms, patience, self.jobs, self.claimed);
            link.do_send(Say(WorkMessage::Queue { ahead: 0 }));
            let client = Client { id, key, link };
            let session = WorkSession::new(core, client, self.shop.clone(), context.address()).start();
            self.current = Some(Current { id, key, session, running: 0 });
            self.tell_places(0);
        }
        self.changed();
    }

    /// From this one of the waiting on.
    fn tell_places(&self, from: usize) {
        let served = usize::from(self.current.is_some());
        for (place, client) in self.waiting.iter().enumerate().skip(from) {
            let ahead = u16::try_from(place + served).unwrap_or(u16::MAX);
            client.link.do_send(Say(WorkMessage::Queue { ahead }));
        }
    }

    /// Who comes and goes concerns the one who is served, and other daemons.
    fn changed(&mut self) {
        if let Some(current) = &self.current {
            current.session.do_send(Tell(Input::Others(!self.waiting.is_empty())));
        }
        let running = self.current.as_ref().map_or(0, |current| current.running);
        let guests = Guests { running, clients: self.clients() };
        if guests != self.guests {
            self.guests = guests;
            self.load.do_send(guests);
        }
    }

    fn look(&mut self, context: &mut Context<Self>) {
        let Some(Current { session, id, .. }) = &self.current else { return };
        let id = *id;
        let asked = wrap_future::<_, Self>(session.send(Running));
        context.spawn(asked.map(move |running, this, _| {
            if let (Some(current), Ok(running)) = (&mut this.current, running)
                && current.id == id
            {
                current.running = running;
                this.changed();
            }
        }));
    }

    /// Gives a peer blobs, beside whatever else is done, unless that is done for too many.
    fn serve(&self, link: Addr<Link<WorkMessage>>, blobs: Vec<Digest>) {
        if Rc::strong_count(&self.served) > MOST_SERVED {
            let reason = "too many fetch from here";
            link.do_send(Say(WorkMessage::Refused { reason: reason.into() }));
            link.do_send(Close { reason: reason.into() });
            return;
        }
        actix_rt::spawn(fetch::serve(link, self.shop.stocks.clone(), blobs, Rc::clone(&self.served)));
    }

    /// A message of the client that is served, or of one that should wait.
    fn said(&mut self, id: LinkId, message: WorkMessage) -> ResponseActFuture<Self, ()> {
        if let Some(current) = self.current.as_ref().filter(|current| current.id == id) {
            // Asked once more after the link has: the packet is what matters.
            let message = if self.trusted.contains(current.key) {
                Heard(message)
            } else {
                current.session.do_send(Tell(Input::Stop(NOT_TRUSTED.into())));
                return Box::pin(ready(()));
            };
            // The link reads on when the session has dealt with it.
            let heard = wrap_future::<_, Self>(current.session.send(message));
            return Box::pin(heard.map(|_, _, _| ()));
        }
        let place = self.waiting.iter().position(|client| client.id == id);
        if let Some((place, client)) = place.and_then(|place| Some((place, self.waiting.get(place)?))) {
            let reason = match message {
                WorkMessage::Fetch(blobs)
                    if self.trusted.contains(client.key) && blobs.len() <= MOST_FETCHED =>
                {
                    // No client, as it turns out.
                    let link = client.link.clone();
                    self.waiting.remove(place);
                    self.tell_places(place);
                    self.changed();
                    self.serve(link, blobs);
                    return Box::pin(ready(()));
                }
                WorkMessage::Done => "done",
                _ => "it is not this client's turn",
            };
            client.link.do_send(Say(WorkMessage::Refused { reason: reason.into() }));
            client.link.do_send(Close { reason: reason.into() });
        }
        Box::pin(ready(()))
    }
}

const NOT_TRUSTED: &str = "this key is not trusted here any more";

impl Actor for WorkHandler {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(LOOK, Self::look);
    }
}

impl Handler<LinkNews<WorkMessage>> for WorkHandler {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, news: LinkNews<WorkMessage>, context: &mut Self::Context) -> Self::Result {
        let id = news.link;
        match news.what {
            LinkEvent::Up(up) => {
                if self.listening.is_none() {
                    up.link.do_send(Close { reason: "this daemon is ending".into() });
                    return Box::pin(ready(()));
                }
                let client = Waiting { id, key: up.peer, exporter: up.exporter, link: up.link };
                self.waiting.push_back(client);
                if self.current.is_some() {
                    self.tell_places(self.waiting.len() - 1);
                }
                self.next(context);
            }
            LinkEvent::Message(message) => return self.said(id, message),
            LinkEvent::Ended(end) => {
                if let Some(current) = self.current.as_ref().filter(|current| current.id == id) {
                    current.session.do_send(Tell(Input::LinkEnded(end.to_string())));
                } else if let Some(place) = self.waiting.iter().position(|client| client.id == id) {
                    self.waiting.remove(place);
                    self.tell_places(place);
                    self.changed();
                }
            }
            LinkEvent::Suspected | LinkEvent::Recovered => {}
        }
        Box::pin(ready(()))
    }
}

impl Handler<Serve> for WorkHandler {
    type Result = ();

    fn handle(&mut self, Serve { link, blobs }: Serve, _: &mut Self::Context) {
        self.serve(link, blobs);
    }
}

impl Handler<SessionOver> for WorkHandler {
    type Result = ();

    fn handle(&mut self, SessionOver { id, in_order }: SessionOver, context: &mut Self::Context) {
        if self.current.as_ref().is_none_or(|current| current.id != id) {
            return;
        }
        self.current = None;
        if !in_order {
            log::error!(target: "work", "a session did not end in order");
            self.watch.give_up();
        }
        if let Some(parting) = self.parting.take() {
            // The one who waited may have lost patience.
            let _ = parting.send(());
        }
        self.next(context);
    }
}

impl Handler<Decision> for WorkHandler {
    type Result = ();

    fn handle(&mut self, decision: Decision, _: &mut Self::Context) {
        let Decision::Distrusted(key) = decision else { return };
        for client in self.waiting.iter().filter(|client| client.key == key) {
            client.link.do_send(Close { reason: NOT_TRUSTED.to_owned() });
        }
        if let Some(current) = self.current.as_ref().filter(|current| current.key == key) {
            current.session.do_send(Tell(Input::Stop(NOT_TRUSTED.to_owned())));
        }
    }
}

impl Handler<Queued> for WorkHandler {
    type Result = MessageResult<Queued>;

    fn handle(&mut self, _: Queued, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.clients())
    }
}

impl Handler<Claimed> for WorkHandler {
    type Result = ();

    fn handle(&mut self, Claimed(claimed): Claimed, _: &mut Self::Context) {
        self.claimed = claimed;
        if let Some(current) = &self.current {
            current.session.do_send(Tell(Input::Claimed(claimed)));
        }
    }
}

impl Handler<Gates> for WorkHandler {
    type Result = MessageResult<Gates>;

    fn handle(&mut self, _: Gates, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.listening.as_ref().map(Gate::from))
    }
}

impl Handler<Part> for WorkHandler {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, Part { reason }: Part, _: &mut Self::Context) -> Self::Result {
        self.listening = None;
        for client in &self.waiting {
            client.link.do_send(Close { reason: reason.clone() });
        }
        let over = self.current.as_ref().map(|current| {
            current.session.do_send(Tell(Input::Part(reason)));
            let (parting, over) = oneshot::channel();
            self.parting = Some(parting);
            over
        });
        let stocks = self.shop.stocks.clone();
        let parted = async move {
            if let Some(over) = over
                && tokio::time::timeout(CLEANED, over).await.is_err()
            {
                log::warn!(target: "work", "a job is not cleaned up in time");
            }
            // It is gone already if it has panicked.
            let _ = stocks.send(Shut).await;
        };
        Box::pin(wrap_future::<_, Self>(parted).map(|(), _, context| context.stop()))
    }
}
