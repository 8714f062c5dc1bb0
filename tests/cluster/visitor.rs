//! Links of the test's own: strangers, runners, impostors.

use std::net::SocketAddr;
use std::rc::Rc;

use actix::{Actor, Addr, Context, Handler};
use ed25519_dalek::SigningKey;
use flotilla_actors::net::link::{
    Admission, End, Link, LinkEvent, LinkNews, SendMessage, Settings, Tls, WireMessage,
};
use flotilla_actors::trust::TrustedKeys;
use flotilla_messages::Fingerprint;
use flotilla_messages::wire::Hello;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long a visitor waits for anything.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(40);

/// The test's end of a link to a daemon.
pub struct Visitor<M: WireMessage> {
    link: Addr<Link<M>>,
    news: UnboundedReceiver<LinkEvent<M>>,
}

struct Owner<M: WireMessage>(UnboundedSender<LinkEvent<M>>);

impl<M: WireMessage> Actor for Owner<M> {
    type Context = Context<Self>;
}

impl<M: WireMessage> Handler<LinkNews<M>> for Owner<M> {
    type Result = ();

    fn handle(&mut self, news: LinkNews<M>, _: &mut Self::Context) {
        let _ = self.0.send(news.what);
    }
}

/// A key that nobody knows.
pub fn stranger(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn name(key: &SigningKey) -> Fingerprint {
    Fingerprint::of(&key.verifying_key())
}

impl<M: WireMessage> Visitor<M> {
    /// Calls at a port of this daemon with this key.
    pub fn call(key: &SigningKey, daemon: Fingerprint, at: SocketAddr) -> Self {
        Self::call_as(key, daemon, at, Hello::of_this_build(0))
    }

    /// The same, with these first words.
    pub fn call_as(key: &SigningKey, daemon: Fingerprint, at: SocketAddr, hello: Hello) -> Self {
        let tls = Tls::new(key, Admission::AnyKey(TrustedKeys::from_iter([daemon]))).unwrap();
        let (sender, news) = unbounded_channel();
        let owner = Owner(sender).start().recipient();
        let link = Link::dial(1, at, None, &tls, Rc::new(Settings::new(hello)), owner);
        Self { link, news }
    }

    async fn event(&mut self) -> LinkEvent<M> {
        let news = tokio::time::timeout(PATIENCE, self.news.recv()).await;
        news.expect("news within the time").expect("a link that lives")
    }

    /// Waits until the link is up.
    pub async fn up(&mut self) {
        match self.event().await {
            LinkEvent::Up(_) => {}
            LinkEvent::Ended(end) => panic!("it ended: {end}"),
            _ => panic!("something before it is up"),
        }
    }

    pub async fn say(&self, message: M) {
        self.link.send(SendMessage(message)).await.unwrap().unwrap();
    }

    /// The next message.
    pub async fn message(&mut self) -> M {
        match self.event().await {
            LinkEvent::Message(message) => message,
            LinkEvent::Ended(end) => panic!("it ended: {end}"),
            _ => panic!("no message"),
        }
    }

    /// How the link ends; whatever is said before is passed over.
    pub async fn end(&mut self) -> End {
        loop {
            if let LinkEvent::Ended(end) = self.event().await {
                return end;
            }
        }
    }

    /// How the link ends, which never comes up.
    pub async fn refused(&mut self) -> End {
        match self.event().await {
            LinkEvent::Ended(end) => end,
            _ => panic!("it came up"),
        }
    }
}
