//! The actor of a link: the shell around its core.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient,
    ResponseActFuture, ResponseFuture, WrapFuture,
};
use ed25519_dalek::VerifyingKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::untrusted::{NAME, untrusted_text};
use flotilla_messages::wire::{Codec, EncodeError, Greeting, Hello, Limits, Packet, Refused};
use serde::Serialize;

use super::connect::{Secured, Securing, dialled};
use super::core::{Allowance, Core, Effect, Input, Timing};
use super::end::End;
use super::frame::{InboundFrame, NextRead, WireMessage};
use super::gate::Slot;
use super::open::Open;
use super::outgoing::{Closing, Outgoing};
use super::pump::pump;
use super::tls::{Admission, Tls};
use crate::kit::reactor_now;
use crate::kit::runtime;
use crate::kit::shell::{CoreActor, Timed, Timer};

/// Identifies a link to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkId {
    /// Dialled by this end; the number is chosen by the owner.
    Dialled(u64),
    /// Accepted by this end; the listener numbers them from 1.
    Accepted(u64),
}

/// The settings that all links of one owner share.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Hello that this end sends.
    pub hello: Hello,
    /// The timeouts.
    pub timing: Timing,
    /// Size limits of a frame after Hello.
    pub limits: Limits,
    /// Maximum number of bytes that may wait for one peer; a link with more is closed.
    pub outgoing: usize,
    /// Counts the open connections of these links.
    pub open: Open,
    /// The level at which the log records that a link is up or has ended.
    pub level: log::Level,
}

impl Settings {
    /// The default settings: up to 16 MiB may wait, and each link is logged at info level.
    pub fn new(hello: Hello) -> Self {
        Self {
            hello,
            timing: Timing::default(),
            limits: Limits::ESTABLISHED,
            outgoing: 16 << 20,
            open: Open::default(),
            level: log::Level::Info,
        }
    }
}

/// What a link tells its owner. The link reads no further before the owner has handled it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LinkNews<M: WireMessage> {
    /// Which link.
    pub link: LinkId,
    /// What happened.
    pub what: LinkEvent<M>,
}

/// What happened at a link: one `Up`, then anything, then one `Ended`. A dialled link may skip `Up`.
/// An accepted link that never sent Hello emits no event at all.
pub enum LinkEvent<M: WireMessage> {
    /// Both have said Hello.
    Up(Box<Established<M>>),
    /// The peer sent a message.
    Message(M),
    /// The peer has been silent for longer than it should be.
    Suspected,
    /// The suspected peer sent something again.
    Recovered,
    /// The link is over.
    Ended(End),
}

/// A link that is up.
pub struct Established<M: WireMessage> {
    /// Takes [`SendMessage`] and [`Close`].
    pub link: Addr<Link<M>>,
    /// The other end's address.
    pub address: SocketAddr,
    /// The public key whose possession the peer proved.
    pub key: VerifyingKey,
    /// The fingerprint of that key.
    pub peer: Fingerprint,
    /// The peer's Hello.
    pub hello: Hello,
    /// The protocol version that both ends use.
    pub version: u16,
    /// What the peer may send on the link.
    pub allowance: Allowance,
    /// A value that is unique to this connection and the same at both ends.
    pub exporter: [u8; 32],
}

/// Sends a message to the peer. Messages arrive in order, or the link ends.
#[derive(Message)]
#[rtype(result = "Result<(), SendMessageError>")]
pub struct SendMessage<M: WireMessage>(pub M);

/// Answered when at most this many bytes wait to be sent, or the link is over. A sender of large messages asks before
/// each one.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct WaitForCapacity(pub usize);

/// Changes the link's owner: later events are sent to this one. An event that is already on its way reaches the
/// previous owner, which forwards it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ChangeOwner<M: WireMessage>(pub Recipient<LinkNews<M>>);

/// Closes the link in order: what is queued is still sent, then Bye.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Close {
    /// The reason, shown to users at the other end.
    pub reason: String,
}

/// Why a message cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendMessageError {
    /// The link is not up yet, or no longer.
    #[error("the link is not up")]
    NotUp,
    /// The message does not fit in a frame.
    #[error(transparent)]
    Frame(#[from] EncodeError),
    /// More than [`Settings::outgoing`] bytes wait for the peer, so the link is closed.
    #[error("the peer does not read")]
    Crowded,
}

/// One connection to one peer.
pub struct Link<M: WireMessage> {
    id: LinkId,
    address: SocketAddr,
    settings: Rc<Settings>,
    admission: Admission,
    core: Core,
    codec: Codec,
    outgoing: Rc<Outgoing>,
    securing: Option<Securing>,
    secured: Option<(VerifyingKey, Fingerprint, [u8; 32])>,
    /// What the peer's key was allowed when the handshake ended.
    allowance: Allowance,
    slot: Option<Rc<Slot>>,
    owner: Recipient<LinkNews<M>>,
    owner_knows: bool,
    /// The message on its way from the reader through the core to the owner.
    arriving: Option<M>,
    timer: Timer,
    effects: Vec<Effect>,
}

impl<M: WireMessage> Link<M> {
    /// Starts a link to this address; with `expected`, only to this key. The owner is always notified of its end.
    pub fn dial(
        id: u64,
        address: SocketAddr,
        expected: Option<Fingerprint>,
        tls: &Tls,
        settings: Rc<Settings>,
        owner: Recipient<LinkNews<M>>,
    ) -> Addr<Self> {
        let securing = dialled(address, expected, tls);
        let id = LinkId::Dialled(id);
        Self::new(id, address, securing, tls.admission.clone(), settings, None, owner).start()
    }

    /// A link whose handshake is under way. It must be started in the arbiter whose reactor the stream belongs to.
    pub(super) fn new(
        id: LinkId,
        address: SocketAddr,
        securing: Securing,
        admission: Admission,
        settings: Rc<Settings>,
        slot: Option<Rc<Slot>>,
        owner: Recipient<LinkNews<M>>,
    ) -> Self {
        Self {
            id,
            address,
            admission,
            core: Core::new(reactor_now(), settings.hello.versions, settings.timing),
            codec: Codec::new(Limits::GREETING),
            settings,
            outgoing: Rc::default(),
            securing: Some(securing),
            secured: None,
            allowance: Allowance::OneMessage,
            slot,
            owner,
            owner_knows: matches!(id, LinkId::Dialled(_)),
            arriving: None,
            timer: Timer::default(),
            effects: Vec::new(),
        }
    }

    fn secured(&mut self, result: Result<Secured, End>, context: &mut Context<Self>) {
        if !runtime::is_there() {
            return;
        }
        let Secured { stream, key, exporter } = match result {
            Ok(secured) => secured,
            Err(end) => return self.input(Input::Unsecured(end), context),
        };
        let peer = Fingerprint::of(&key);
        self.secured = Some((key, peer, exporter));
        let held = (self.slot.clone(), self.settings.open.enter());
        let pump = pump(stream, Rc::clone(&self.outgoing), context.address().recipient(), held);
        actix_rt::spawn(pump);
        let Some(allowance) = self.admission.allowance(peer) else {
            // The key was still trusted in the handshake, a moment ago.
            return self.refuse("this key is not trusted".into(), context);
        };
        self.allowance = allowance;
        match self.slot.as_ref().map_or(Ok(()), |slot| slot.keyed(peer, allowance)) {
            Ok(()) => self.input(Input::Secured(allowance), context),
            Err(reason) => self.refuse(reason, context),
        }
    }

    /// Refuses a link before this end has sent Hello.
    fn refuse(&mut self, reason: String, context: &mut Context<Self>) {
        let their_version = self.settings.hello.versions;
        let refused = Refused { reason: reason.clone(), their_version };
        self.send(&Greeting::Refused(refused));
        self.input(Input::Unsecured(End::RefusedByUs { reason }), context);
    }

    fn up(&mut self, hello: Hello, version: u16, allowance: Allowance, context: &mut Context<Self>) {
        let Some((key, peer, exporter)) = self.secured else { return };
        self.codec.set_limits(self.settings.limits);
        if let Some(slot) = &self.slot {
            slot.greeted();
        }
        log::log!(
            self.level(),
            "{} is up: {} {}, software {}, protocol version {version}",
            self.shown(),
            untrusted_text(&hello.os, NAME),
            untrusted_text(&hello.arch, NAME),
            untrusted_text(&hello.software, NAME)
        );
        self.owner_knows = true;
        let (link, address) = (context.address(), self.address);
        let up = Established { link, address, key, peer, hello, version, allowance, exporter };
        self.tell(LinkEvent::Up(Box::new(up)));
    }

    fn ended(&mut self, end: End, context: &mut Context<Self>) {
        let last_words = matches!(
            end,
            End::Closed(_)
                | End::ByeByPeer(_)
                | End::RefusedByUs { .. }
                | End::RefusedByPeer { .. }
                | End::Late(_)
        );
        self.outgoing.close(if last_words { Closing::Sent } else { Closing::AtOnce });
        let stranger = self.allowance == Allowance::OneMessage;
        match &self.slot {
            Some(slot) if !self.owner_knows || (stranger && !end.in_order()) => {
                let peer = self.secured.map(|(_, peer, _)| peer);
                slot.gate().refused(reactor_now(), self.address, peer, end.clone());
            }
            _ => log::log!(self.level(), "{} ended: {end}", self.shown()),
        }
        if self.owner_knows {
            self.tell(LinkEvent::Ended(end));
        }
        context.stop();
    }

    /// Links of untrusted keys are logged at debug level only, so that they cannot fill the log; links that we dialled
    /// are logged at the usual level.
    fn level(&self) -> log::Level {
        let stranger = self.allowance == Allowance::OneMessage && self.slot.is_some();
        if stranger { log::Level::Debug } else { self.settings.level }
    }

    fn shown(&self) -> String {
        match self.secured {
            Some((_, peer, _)) => format!("link to {} (key {peer})", self.address),
            None => format!("link to {}", self.address),
        }
    }

    /// `do_send` has no limit, but there are only a few such events per link, and the owner shares the arbiter or asked
    /// for the link. Messages are delivered by a handler that waits for the owner.
    fn tell(&self, what: LinkEvent<M>) {
        self.owner.do_send(LinkNews { link: self.id, what });
    }

    /// Sends a small frame of this program's own. A failure to encode it is a bug in this program, and no reason to end
    /// the link.
    fn send<T: Serialize>(&mut self, message: &T) {
        if let Err(error) = self.frame(message) {
            log::error!("{}: cannot encode: {error}", self.shown());
        }
    }

    fn frame<T: Serialize>(&mut self, message: &T) -> Result<(), EncodeError> {
        self.outgoing.append(|buffer| self.codec.encode(message, buffer))
    }

    fn next(&self) -> NextRead {
        if self.core.is_over() {
            NextRead::Stop
        } else if !self.core.is_up() {
            NextRead::Greeting
        } else {
            match self.allowance {
                Allowance::Full => NextRead::Packets(self.settings.limits),
                Allowance::OneMessage => NextRead::Packets(Limits::GREETING),
            }
        }
    }

    fn take(&mut self, frame: InboundFrame<M>, context: &mut Context<Self>) {
        let input = match frame {
            InboundFrame::Greeting(Greeting::Hello(hello)) => Input::Hello(hello),
            InboundFrame::Greeting(Greeting::Refused(refused)) => Input::Refused(refused),
            InboundFrame::Progress => Input::Progress,
            InboundFrame::Broke(end) => Input::Broke(end),
            InboundFrame::Packet(Packet::Bye { reason }) => Input::Bye(reason),
            InboundFrame::Packet(_) if !self.may_still_speak() => {
                Input::Close("this key is not trusted any more".into())
            }
            InboundFrame::Packet(Packet::Heartbeat) => Input::Heartbeat,
            InboundFrame::Packet(Packet::Message(message)) => {
                self.arriving = Some(message);
                Input::Message
            }
        };
        self.input(input, context);
    }

    /// Trust is checked in the handshake, and may have been withdrawn since.
    fn may_still_speak(&self) -> bool {
        let Some((_, peer, _)) = self.secured else { return false };
        match self.admission.allowance(peer) {
            Some(Allowance::Full) => true,
            Some(Allowance::OneMessage) => self.allowance == Allowance::OneMessage,
            None => false,
        }
    }
}

impl<M: WireMessage> Timed for Link<M> {
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

impl<M: WireMessage> CoreActor for Link<M> {
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
            Effect::SendHello => {
                let hello = Greeting::Hello(self.settings.hello.clone());
                self.send(&hello);
            }
            Effect::SendRefused(refused) => self.send(&Greeting::Refused(refused)),
            Effect::SendHeartbeat => self.send(&Packet::<M>::Heartbeat),
            Effect::SendBye(reason) => self.send(&Packet::<M>::Bye { reason }),
            Effect::Up { hello, version, allowance } => self.up(hello, version, allowance, context),
            // The handler of `InboundFrame`, which holds the message, delivers it and waits.
            Effect::Deliver => {}
            Effect::Suspected => {
                log::info!("{}: nothing heard for a while", self.shown());
                self.tell(LinkEvent::Suspected);
            }
            Effect::Recovered => self.tell(LinkEvent::Recovered),
            Effect::Ended(end) => self.ended(end, context),
        }
    }
}

impl<M: WireMessage> Actor for Link<M> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if let Some(securing) = self.securing.take() {
            let secured =
                securing.into_actor(self).map(|result, this, context| this.secured(result, context));
            context.spawn(secured);
        }
        self.set_timer(context);
    }
}

impl<M: WireMessage> Drop for Link<M> {
    /// After a panic nothing else would close the connection.
    fn drop(&mut self) {
        if !self.core.is_over() {
            self.outgoing.close(Closing::AtOnce);
        }
    }
}

impl<M: WireMessage> Handler<InboundFrame<M>> for Link<M> {
    type Result = ResponseActFuture<Self, NextRead>;

    fn handle(&mut self, frame: InboundFrame<M>, context: &mut Self::Context) -> Self::Result {
        self.take(frame, context);
        let message = self.arriving.take().filter(|_| !self.core.is_over());
        let Some(message) = message else { return Box::pin(ready(self.next())) };
        let news = LinkNews { link: self.id, what: LinkEvent::Message(message) };
        let delivery = wrap_future::<_, Self>(self.owner.send(news));
        Box::pin(delivery.map(|delivered, this, context| {
            let gone = || Input::Close("nobody listens here any more".into());
            this.input(delivered.map_or_else(|_| gone(), |()| Input::Delivered), context);
            this.next()
        }))
    }
}

impl<M: WireMessage> Handler<SendMessage<M>> for Link<M> {
    type Result = Result<(), SendMessageError>;

    fn handle(&mut self, SendMessage(message): SendMessage<M>, context: &mut Self::Context) -> Self::Result {
        if !self.core.is_up() {
            return Err(SendMessageError::NotUp);
        }
        self.frame(&Packet::Message(message))?;
        let waiting = self.outgoing.waiting();
        if waiting > self.settings.outgoing {
            self.input(Input::Broke(End::Crowded(waiting)), context);
            return Err(SendMessageError::Crowded);
        }
        self.input(Input::Sent, context);
        Ok(())
    }
}

impl<M: WireMessage> Handler<WaitForCapacity> for Link<M> {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, WaitForCapacity(most): WaitForCapacity, _: &mut Self::Context) -> Self::Result {
        let outgoing = Rc::clone(&self.outgoing);
        Box::pin(async move { outgoing.room(most).await })
    }
}

impl<M: WireMessage> Handler<Close> for Link<M> {
    type Result = ();

    fn handle(&mut self, close: Close, context: &mut Self::Context) {
        self.input(Input::Close(close.reason), context);
    }
}

impl<M: WireMessage> Handler<ChangeOwner<M>> for Link<M> {
    type Result = ();

    fn handle(&mut self, ChangeOwner(owner): ChangeOwner<M>, _: &mut Self::Context) {
        self.owner = owner;
    }
}
