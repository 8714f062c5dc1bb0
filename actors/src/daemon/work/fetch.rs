//! Large blobs from peer to peer: getting them, and giving them.
//!
//! Both ends are trusted to run tests, not to keep to the protocol. Who gets takes nothing but what it asked for, verified
//! by its digest, and waits neither long nor for ever. Who gives reads a piece when the one before is on its way, and
//! serves only a few at a time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient,
    ResponseActFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::{Digest, Pack};
use flotilla_messages::port::work::WorkMessage;
use flotilla_messages::untrusted::{SHORT, untrusted_text};
use tokio::time::{Instant, timeout};

use super::input_store::{Cut, CutOut, Fetched, GiveUp, InputStore, PutFetched};
use super::messages::FetchEnded;
use crate::net::link::{Close, Link, LinkEvent, LinkNews, SendMessage, Settings, Tls, WaitForCapacity};

/// How long the next piece may take, and on the other side, how long it may take to be sent.
const PIECE_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum duration of a whole fetch, even if it keeps making progress.
const FETCH_TIMEOUT: Duration = Duration::from_secs(120);
/// The time between two checks of these limits.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// With this many bytes waiting to be sent, the next piece is not read.
const MOST_UNSENT: usize = 2 << 20;
/// Peers that are served at a time.
pub const MOST_SERVED: usize = 4;

/// How other peers are dialled.
#[derive(Clone)]
pub struct Dialler {
    /// Admits trusted keys alone.
    pub tls: Tls,
    /// For the links.
    pub settings: Rc<Settings>,
}

/// Gets blobs from one peer.
pub struct Fetcher {
    client: Fingerprint,
    wanted: BTreeSet<Digest>,
    left: usize,
    inputs: Addr<InputStore>,
    ended: Recipient<FetchEnded>,
    link: Option<Addr<Link<WorkMessage>>>,
    begun: Instant,
    heard: Instant,
    over: bool,
}

/// What is to be fetched where.
pub struct FetchRequest {
    /// For whom.
    pub client: Fingerprint,
    /// The digests of the blobs.
    pub blobs: Vec<Digest>,
    /// From whom.
    pub holder: Fingerprint,
    /// Where it is.
    pub address: SocketAddr,
}

/// Ends a fetch whose blobs are not wanted any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopFetch;

impl Fetcher {
    /// Dials, and asks. `ended` is told of the end, however it comes, unless it asked for it by [`StopFetch`].
    pub fn start(
        request: FetchRequest,
        dialler: &Dialler,
        inputs: Addr<InputStore>,
        ended: Recipient<FetchEnded>,
    ) -> Addr<Self> {
        let FetchRequest { client, blobs, holder, address } = request;
        let Dialler { tls, settings } = dialler.clone();
        Self::create(move |context| {
            let owner = context.address().recipient();
            let link = Link::dial(0, address, Some(holder), &tls, settings, owner);
            let now = Instant::now();
            Self {
                client,
                wanted: blobs.into_iter().collect(),
                left: usize::MAX,
                inputs,
                ended,
                link: Some(link),
                begun: now,
                heard: now,
                over: false,
            }
        })
    }

    /// Whatever has not come is to come from the client.
    fn end(&mut self, why: &str, context: &mut Context<Self>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if let Some(link) = self.link.take() {
            link.do_send(Close { reason: why.into() });
        }
        if self.wanted.is_empty() {
            self.ended.do_send(FetchEnded { left: self.left, missing: Vec::new() });
            return context.stop();
        }
        log::info!(target: "work", "{} blobs are not fetched from another peer: {why}", self.wanted.len());
        let missing: Vec<_> = self.wanted.iter().copied().collect();
        let given_up = self.inputs.send(GiveUp { client: self.client, blobs: self.wanted.clone() });
        context.spawn(wrap_future::<_, Self>(given_up).map(|left, this, context| {
            // Without inputs the session ends by itself.
            let left = left.unwrap_or(missing.len());
            this.ended.do_send(FetchEnded { left, missing });
            context.stop();
        }));
    }

    fn put(&mut self, pack: Pack) -> ResponseActFuture<Self, ()> {
        let put = self.inputs.send(PutFetched { pack, only: self.wanted.clone() });
        Box::pin(wrap_future::<_, Self>(put).map(|put, this, context| match put {
            _ if this.over => {}
            Ok(Ok(Fetched { left, whole })) => {
                this.left = left;
                this.heard = Instant::now();
                this.wanted.retain(|digest| !whole.contains(digest));
                if this.wanted.is_empty() {
                    this.end("done", context);
                }
            }
            Ok(Err(error)) => this.end(&error.to_string(), context),
            Err(_) => this.end("internal error", context),
        }))
    }
}

impl Actor for Fetcher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(CHECK_EVERY, |this, context| {
            if this.heard.elapsed() > PIECE_TIMEOUT || this.begun.elapsed() > FETCH_TIMEOUT {
                this.end("it takes too long", context);
            }
        });
    }
}

impl Handler<LinkNews<WorkMessage>> for Fetcher {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, news: LinkNews<WorkMessage>, context: &mut Self::Context) -> Self::Result {
        match news.what {
            _ if self.over => {}
            LinkEvent::Up(up) => {
                let blobs = self.wanted.iter().copied().collect();
                up.link.do_send(SendMessage(WorkMessage::Fetch(blobs)));
            }
            // The link is read on when it is stored.
            LinkEvent::Message(WorkMessage::Pack(pack)) => return self.put(pack),
            LinkEvent::Message(WorkMessage::Queue { .. }) => {}
            LinkEvent::Message(WorkMessage::Refused { reason }) => {
                self.end(&format!("it says: {}", untrusted_text(reason, SHORT)), context);
            }
            LinkEvent::Message(_) => self.end("it breaks the protocol", context),
            LinkEvent::Ended(end) => self.end(&end.to_string(), context),
            LinkEvent::Suspected | LinkEvent::Recovered => {}
        }
        Box::pin(ready(()))
    }
}

impl Handler<StopFetch> for Fetcher {
    type Result = ();

    fn handle(&mut self, _: StopFetch, context: &mut Self::Context) {
        self.over = true;
        if let Some(link) = self.link.take() {
            link.do_send(Close { reason: "nobody wants it any more".into() });
        }
        context.stop();
    }
}

/// Gives another peer what it asked for, as far as it is here. `held` counts it as long as it lasts.
pub async fn serve(
    link: Addr<Link<WorkMessage>>,
    inputs: Addr<InputStore>,
    blobs: Vec<Digest>,
    held: Rc<()>,
) {
    let reason = match give(&link, &inputs, blobs).await {
        Ok(()) => "done".to_owned(),
        Err(reason) => {
            link.do_send(SendMessage(WorkMessage::Refused { reason: reason.clone() }));
            reason
        }
    };
    link.do_send(Close { reason });
    drop(held);
}

async fn give(
    link: &Addr<Link<WorkMessage>>,
    inputs: &Addr<InputStore>,
    blobs: Vec<Digest>,
) -> Result<(), String> {
    let gone = "the link has ended".to_owned();
    for digest in blobs {
        let mut next = Some(0);
        while let Some(offset) = next {
            let Cut { pack, next: after } = match inputs.send(CutOut { digest, offset }).await {
                Ok(Ok(Some(cut))) => cut,
                Ok(Ok(None)) => return Err(format!("blob {digest} is not here")),
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err("internal error".into()),
            };
            match timeout(PIECE_TIMEOUT, link.send(WaitForCapacity(MOST_UNSENT))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(gone),
                Err(_) => return Err("it does not read".into()),
            }
            match link.send(SendMessage(WorkMessage::Pack(pack))).await {
                Ok(Ok(())) => next = after,
                _ => return Err(gone),
            }
        }
    }
    Ok(())
}
