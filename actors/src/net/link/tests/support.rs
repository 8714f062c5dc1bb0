//! Peers in one process.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler, Recipient};
use bytes::BytesMut;
use ed25519_dalek::SigningKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::wire::{Codec, Greeting, Hello, Limits, Packet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::net::link::connect::Secured;
use crate::net::link::{
    Admission, End, Established, Link, LinkEvent, LinkId, LinkNews, Listening, Quotas, Settings, Timing, Tls,
    listen,
};
use crate::trust::TrustedKeys;

pub type News = LinkNews<String>;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

struct Owner(UnboundedSender<News>);

impl Actor for Owner {
    type Context = Context<Self>;
}

impl Handler<News> for Owner {
    type Result = ();

    fn handle(&mut self, news: News, _: &mut Self::Context) {
        let _ = self.0.send(news);
    }
}

/// An identity with an owner of links.
pub struct Peer {
    pub identity: SigningKey,
    pub fingerprint: Fingerprint,
    pub trusted: TrustedKeys,
    pub settings: Settings,
    pub quotas: Quotas,
    pub owner: Recipient<News>,
    news: UnboundedReceiver<News>,
}

impl Peer {
    pub fn new(seed: u8) -> Self {
        let identity = SigningKey::from_bytes(&[seed; 32]);
        let (sender, news) = unbounded_channel();
        Self {
            fingerprint: Fingerprint::of(&identity.verifying_key()),
            identity,
            trusted: TrustedKeys::default(),
            settings: Settings::new(Hello::of_this_build(2)),
            quotas: Quotas::default(),
            owner: Owner(sender).start().recipient(),
            news,
        }
    }

    /// Two that trust each other.
    pub fn pair() -> (Self, Self) {
        let (a, b) = (Self::new(1), Self::new(2));
        a.trusted.insert(b.fingerprint);
        b.trusted.insert(a.fingerprint);
        (a, b)
    }

    /// With deadlines of a fraction of a second.
    pub fn hurried(mut self) -> Self {
        let short = Duration::from_millis(250);
        self.settings.timing = Timing { handshake: short, hello: short, ..Timing::default() };
        self
    }

    pub fn tls(&self) -> Tls {
        Tls::new(&self.identity, Admission::TrustedKeys(self.trusted.clone())).unwrap()
    }

    pub fn open_tls(&self) -> Tls {
        Tls::new(&self.identity, Admission::AnyKey(self.trusted.clone())).unwrap()
    }

    pub async fn listen(&self) -> Listening {
        self.listen_with(self.tls()).await
    }

    pub async fn listen_with(&self, tls: Tls) -> Listening {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = Rc::new(self.settings.clone());
        listen(address, tls, settings, self.quotas, self.owner.clone()).await.unwrap()
    }

    pub fn dial(&self, to: &Listening) -> Addr<Link<String>> {
        self.dial_with(to, None, &self.tls())
    }

    pub fn dial_with(&self, to: &Listening, expected: Option<Fingerprint>, tls: &Tls) -> Addr<Link<String>> {
        let settings = Rc::new(self.settings.clone());
        Link::dial(7, to.address(), expected, tls, settings, self.owner.clone())
    }

    /// A link over a pipe in memory, as if its handshake were through.
    pub fn link_over(&self, stream: DuplexStream, with: &Self) -> Addr<Link<String>> {
        let key = with.identity.verifying_key();
        let secured = Secured { stream: Box::new(stream), key, exporter: [0; 32] };
        let admission = Admission::TrustedKeys(self.trusted.clone());
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let securing = Box::pin(async { Ok(secured) });
        let settings = Rc::new(self.settings.clone());
        Link::new(LinkId::Dialled(1), address, securing, admission, settings, None, self.owner.clone())
            .start()
    }

    pub async fn event(&mut self) -> LinkEvent<String> {
        let news = tokio::time::timeout(PATIENCE, self.news.recv()).await;
        news.expect("news within the time").expect("the owner lives").what
    }

    pub async fn established(&mut self) -> Established<String> {
        match self.event().await {
            LinkEvent::Up(up) => *up,
            LinkEvent::Ended(end) => panic!("it ended: {end}"),
            _ => panic!("something before it is up"),
        }
    }

    pub async fn message(&mut self) -> String {
        match self.event().await {
            LinkEvent::Message(message) => message,
            LinkEvent::Ended(end) => panic!("it ended: {end}"),
            _ => panic!("no message"),
        }
    }

    pub async fn end(&mut self) -> End {
        match self.event().await {
            LinkEvent::Ended(end) => end,
            LinkEvent::Up(_) => panic!("it is up"),
            LinkEvent::Message(message) => panic!("a message: {message}"),
            LinkEvent::Suspected | LinkEvent::Recovered => panic!("silence, not the end"),
        }
    }

    pub fn has_heard_nothing(&mut self) -> bool {
        self.news.try_recv().is_err()
    }
}

/// Waits until it holds, without sleeping.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polls = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, polls).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}

/// The last refusal of a listener, once it has this many.
pub async fn refusal(listening: &Listening, number: u64) -> End {
    until("a refusal", || listening.occupancy().refused >= number).await;
    listening.refusals().pop().expect("a refusal").end
}

/// A connection of the test's own, with an identity but without a link's manners.
pub async fn raw(peer: &Peer, to: &Listening) -> TlsStream<TcpStream> {
    secure(peer, TcpStream::connect(to.address()).await.unwrap()).await
}

/// The same, of a socket that is connected.
pub async fn secure(peer: &Peer, socket: TcpStream) -> TlsStream<TcpStream> {
    let connector = TlsConnector::from(Arc::clone(&peer.open_tls().client));
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    connector.connect(name, socket).await.unwrap()
}

/// The listener is as good as before.
pub async fn still_serves(a: &mut Peer, b: &mut Peer, listening: &Listening) {
    a.dial(listening);
    a.established().await;
    while b.established().await.peer != a.fingerprint {}
}

pub fn frame<T: Serialize>(message: &T) -> BytesMut {
    let mut out = BytesMut::new();
    Codec::new(Limits::ESTABLISHED).encode(message, &mut out).unwrap();
    out
}

pub fn hello() -> BytesMut {
    frame(&Greeting::Hello(Hello::of_this_build(1)))
}

pub fn says(message: &str) -> BytesMut {
    frame(&Packet::Message(message.to_owned()))
}

/// Reads one frame.
pub async fn read<T: DeserializeOwned>(stream: &mut (impl AsyncReadExt + Unpin)) -> T {
    let mut buffer = BytesMut::new();
    let mut codec = Codec::new(Limits::ESTABLISHED);
    let reading = async {
        loop {
            if let Some(message) = codec.decode(&mut buffer).unwrap() {
                return message;
            }
            // One byte at a time: the next frame stays in the stream.
            buffer.extend_from_slice(&[stream.read_u8().await.unwrap()]);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("a frame within the time")
}

/// Says Hello and reads the other's.
pub async fn greet(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) {
    stream.write_all(&hello()).await.unwrap();
    let theirs: Greeting = read(stream).await;
    assert!(matches!(theirs, Greeting::Hello(_)));
}

/// Waits until the other side has closed.
pub async fn until_closed(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut scrap = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut scrap)).await;
    // A reset is a way to close, too.
    let _ = closed.expect("closed within the time");
}
