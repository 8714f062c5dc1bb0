//! The actor of the Status port.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use actix::fut::wrap_future;
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    Recipient, ResponseActFuture, ResponseFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::LinkView;
use flotilla_messages::port::status::{Load, StatusMessage};
use flotilla_messages::wire::Hello;

use super::core::{Core, Effect, Input};
use crate::daemon::{DaemonEvent, Route};
use crate::kit::DeathWatch;
use crate::net::link::{
    Close, Link, LinkEvent, LinkId, LinkNews, Listening, Occupancy, RefusedConnection, SendMessage, Settings,
    Tls,
};
use crate::trust::{GetStatements, TrustInput, TrustOrder, TrustStore};

/// Keeps the links between daemons.
pub struct StatusHandler {
    core: Core,
    dialler: StatusDialler,
    trust: Addr<TrustStore>,
    reports: Recipient<LinkReport>,
    links: BTreeMap<LinkId, Addr<Link<StatusMessage>>>,
    /// None once it has parted.
    listening: Option<Listening>,
    _watch: DeathWatch<DaemonEvent>,
}

/// How links are dialled.
pub struct StatusDialler {
    /// Admits any key, and knows the trusted ones.
    pub tls: Tls,
    /// What all links have in common.
    pub settings: Rc<Settings>,
    /// Where connections really go.
    pub route: Route,
}

/// What is told of the links to one key.
#[derive(Clone, Debug, PartialEq, Message)]
#[rtype(result = "()")]
pub enum LinkReport {
    /// There is a link to this key, and it trusts this machine.
    Linked {
        /// The key of the peer.
        key: Fingerprint,
        /// Where it is.
        address: SocketAddr,
        /// What it says of itself.
        hello: Hello,
    },
    /// A dial did not lead to such a link.
    Failed {
        /// The key of the peer.
        key: Fingerprint,
        /// It is of no use to try again soon.
        hopeless: bool,
    },
    /// There is no such link any more.
    Lost(Fingerprint),
    /// What people are shown.
    Shown {
        /// Whose links.
        key: Fingerprint,
        /// How they are.
        view: LinkView,
    },
    /// A peer says how busy it is.
    Load {
        /// The key of the peer.
        key: Fingerprint,
        /// How busy.
        load: Load,
    },
}

/// Link to this key, which is trusted.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct DialPeer {
    /// The key of the peer.
    pub key: Fingerprint,
    /// Where it may be, the likeliest first.
    pub addresses: Vec<SocketAddr>,
}

/// Look whether this peer is still there.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Doubt(pub Fingerprint);

/// How busy this machine is.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct OwnLoad(pub Load);

/// Say Bye on every link, take no new ones, and end.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct StopStatus {
    /// Why, for the people at the other ends.
    pub reason: String,
}

/// Asks who is at the gates.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Option<StatusGate>")]
pub struct Gates;

/// Who is at a port's gate.
#[derive(Clone, Debug)]
pub struct StatusGate {
    /// The port.
    pub address: SocketAddr,
    /// How many are inside.
    pub occupancy: Occupancy,
    /// Who was refused last, oldest first.
    pub refusals: Vec<RefusedConnection>,
}

impl From<&Listening> for StatusGate {
    fn from(listening: &Listening) -> Self {
        let (address, occupancy) = (listening.address(), listening.occupancy());
        Self { address, occupancy, refusals: listening.refusals() }
    }
}

impl StatusHandler {
    /// Behind this port.
    pub fn new(
        own: Fingerprint,
        listening: Listening,
        dialler: StatusDialler,
        trust: Addr<TrustStore>,
        reports: Recipient<LinkReport>,
        watch: DeathWatch<DaemonEvent>,
    ) -> Self {
        let (core, listening) = (Core::new(own), Some(listening));
        Self { core, dialler, trust, reports, links: BTreeMap::new(), listening, _watch: watch }
    }

    /// Takes an input in. What is returned is to be waited for before the next message of the same link is read, so
    /// that a peer cannot ask faster than it is answered.
    fn input(&mut self, input: Input, context: &mut Context<Self>) -> Option<Pending> {
        let mut effects = Vec::new();
        self.core.handle(input, &mut effects);
        let mut pending = None;
        for effect in effects {
            match self.perform(effect, context) {
                None => {}
                // One message leads to one question at most.
                some => pending = some,
            }
        }
        pending
    }

    fn perform(&mut self, effect: Effect, context: &mut Context<Self>) -> Option<Pending> {
        match effect {
            Effect::Connect { number, address, expected } => {
                let owner = context.address().recipient();
                let StatusDialler { tls, settings, route } = &self.dialler;
                let link =
                    Link::dial(number, route.lead(address), Some(expected), tls, Rc::clone(settings), owner);
                self.links.insert(LinkId::Dialled(number), link);
            }
            Effect::Send { link, message } => self.say(link, message),
            Effect::Close { link, reason } => {
                if let Some(link) = self.links.get(&link) {
                    link.do_send(Close { reason });
                }
            }
            Effect::Statement { from, bytes } => {
                let heard = self.trust.send(TrustInput::Statement { from, bytes });
                return Some(Pending::Heard(Box::pin(async move {
                    // If nobody is there any more, the daemon ends.
                    let _ = heard.await;
                })));
            }
            Effect::Listed { from, serials } => {
                let heard = self.trust.send(TrustInput::Listed { from, serials });
                return Some(Pending::Heard(Box::pin(async move {
                    let _ = heard.await;
                })));
            }
            Effect::Wanted { link, issuers } => {
                let wanted = self.trust.send(GetStatements(issuers));
                let messages = Box::pin(async move {
                    let statements = wanted.await.unwrap_or_default();
                    statements.into_iter().map(StatusMessage::Statement).collect()
                });
                return Some(Pending::Answer(link, messages));
            }
            Effect::LinkUp(key) => self.trust.do_send(TrustInput::LinkUp(key)),
            Effect::LinkDown(key) => self.trust.do_send(TrustInput::LinkDown(key)),
            Effect::Linked { key, address, hello } => {
                self.reports.do_send(LinkReport::Linked { key, address, hello });
            }
            Effect::Failed { key, hopeless } => self.reports.do_send(LinkReport::Failed { key, hopeless }),
            Effect::Lost(key) => self.reports.do_send(LinkReport::Lost(key)),
            Effect::Shown { key, view } => self.reports.do_send(LinkReport::Shown { key, view }),
            Effect::Load { key, load } => self.reports.do_send(LinkReport::Load { key, load }),
        }
        None
    }

    /// The link bounds what waits in it, and ends where its peer does not read.
    fn say(&self, link: LinkId, message: StatusMessage) {
        if let Some(link) = self.links.get(&link) {
            link.do_send(SendMessage(message));
        }
    }
}

/// What has to be done before a link is read on.
enum Pending {
    Heard(ResponseFuture<()>),
    Answer(LinkId, ResponseFuture<Vec<StatusMessage>>),
}

impl Actor for StatusHandler {
    type Context = Context<Self>;
}

impl Handler<LinkNews<StatusMessage>> for StatusHandler {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, news: LinkNews<StatusMessage>, context: &mut Self::Context) -> Self::Result {
        let link = news.link;
        let input = match news.what {
            LinkEvent::Up(up) => {
                self.links.insert(link, up.link);
                Input::Up {
                    link,
                    key: up.peer,
                    address: up.address,
                    hello: up.hello,
                    allowance: up.allowance,
                }
            }
            LinkEvent::Message(message) => Input::Message { link, message },
            LinkEvent::Suspected => Input::Silence { link, suspected: true },
            LinkEvent::Recovered => Input::Silence { link, suspected: false },
            LinkEvent::Ended(end) => {
                self.links.remove(&link);
                Input::Ended { link, end }
            }
        };
        match self.input(input, context) {
            None => Box::pin(actix::fut::ready(())),
            Some(Pending::Heard(heard)) => Box::pin(wrap_future(heard)),
            Some(Pending::Answer(link, messages)) => Box::pin(wrap_future(messages).map(
                move |messages: Vec<StatusMessage>, this: &mut Self, _| {
                    for message in messages {
                        this.say(link, message);
                    }
                },
            )),
        }
    }
}

impl Handler<TrustOrder> for StatusHandler {
    type Result = ();

    fn handle(&mut self, order: TrustOrder, context: &mut Self::Context) {
        self.input(Input::Order(order), context);
    }
}

impl Handler<DialPeer> for StatusHandler {
    type Result = ();

    fn handle(&mut self, DialPeer { key, addresses }: DialPeer, context: &mut Self::Context) {
        self.input(Input::Dial { key, addresses }, context);
    }
}

impl Handler<Doubt> for StatusHandler {
    type Result = ();

    fn handle(&mut self, Doubt(key): Doubt, context: &mut Self::Context) {
        self.input(Input::Doubt(key), context);
    }
}

impl Handler<OwnLoad> for StatusHandler {
    type Result = ();

    fn handle(&mut self, OwnLoad(load): OwnLoad, context: &mut Self::Context) {
        self.input(Input::OwnLoad(load), context);
    }
}

impl Handler<Gates> for StatusHandler {
    type Result = MessageResult<Gates>;

    fn handle(&mut self, _: Gates, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.listening.as_ref().map(StatusGate::from))
    }
}

impl Handler<StopStatus> for StatusHandler {
    type Result = ();

    fn handle(&mut self, StopStatus { reason }: StopStatus, context: &mut Self::Context) {
        self.listening = None;
        for link in self.links.values() {
            link.do_send(Close { reason: reason.clone() });
        }
        context.stop();
    }
}
