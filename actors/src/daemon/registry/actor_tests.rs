//! The registry between discovery, trust and links, each of which is played here.

use std::net::SocketAddr;

use actix::{Actor, Addr, AsyncContext, Context, Handler};
use ed25519_dalek::SigningKey;
use flotilla_messages::port::local::{LinkView, PeerView};
use flotilla_messages::port::status::Load;
use flotilla_messages::wire::{Hello, SUPPORTED_VERSIONS};
use flotilla_messages::{Fingerprint, Presence};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{GetPeers, PeerRegistry, Performance, Unresponsive};
use crate::daemon::status::{DialPeer, Doubt, LinkReport};
use crate::kit::{DeathWatch, unix_seconds};
use crate::net::discovery::{Notice, OwnState};
use crate::net::membership::{Contact, Peer, Why};
use crate::trust::identity::Home;
use crate::trust::{Command, GetStandings, Ledger, Policy, TrustOrder, TrustStore, TrustedKeys};

/// What the links are told.
#[derive(Debug, PartialEq)]
enum Request {
    DialPeer(Fingerprint, Vec<SocketAddr>),
    Doubt(Fingerprint),
}

struct Links(UnboundedSender<Request>);

impl Actor for Links {
    type Context = Context<Self>;
}

impl Handler<DialPeer> for Links {
    type Result = ();

    fn handle(&mut self, DialPeer { key, addresses }: DialPeer, _: &mut Self::Context) {
        let _ = self.0.send(Request::DialPeer(key, addresses));
    }
}

impl Handler<Doubt> for Links {
    type Result = ();

    fn handle(&mut self, Doubt(key): Doubt, _: &mut Self::Context) {
        let _ = self.0.send(Request::Doubt(key));
    }
}

impl Handler<TrustOrder> for Links {
    type Result = ();

    fn handle(&mut self, _: TrustOrder, _: &mut Self::Context) {}
}

struct Host {
    registry: Addr<PeerRegistry>,
    heard: UnboundedReceiver<Request>,
    _home: TempDir,
}

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn friend() -> Fingerprint {
    Fingerprint::of(&secret().verifying_key())
}

impl Host {
    /// That trusts one key.
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.setup().unwrap();
        let (sender, heard) = unbounded_channel();
        let links = Links(sender).start();
        let (ending, _) = unbounded_channel();
        let ledger = Ledger::open(&home, Policy::default(), unix_seconds()).unwrap().0;
        let trusted = TrustedKeys::default();
        let registry = Context::<PeerRegistry>::new();
        let decisions = vec![registry.address().recipient()];
        let watch = |name| DeathWatch::new(name, ending.clone());
        let trust = TrustStore::new(
            ledger,
            trusted.clone(),
            links.clone().recipient(),
            decisions,
            Box::new(watch("trust")),
        )
        .start();
        let approve = Command::Approve(secret().verifying_key().to_bytes());
        trust.send(approve).await.unwrap().unwrap();
        trust.send(GetStandings).await.unwrap();
        let (dial, doubt) = (links.clone().recipient(), links.recipient());
        let state = OwnState { jobs: 1, serial: 0 };
        let registry = registry.run(PeerRegistry::new(
            trusted,
            trust,
            dial,
            doubt,
            SUPPORTED_VERSIONS,
            state,
            watch("registry"),
        ));
        Self { registry, heard, _home: dir }
    }

    async fn notice(&self, notice: Notice) {
        self.registry.send(notice).await.unwrap();
    }

    async fn report(&self, report: LinkReport) {
        self.registry.send(report).await.unwrap();
    }

    async fn view(&self, key: Fingerprint) -> PeerView {
        let shown = self.registry.send(GetPeers).await.unwrap();
        shown.peers.into_iter().find(|peer| peer.fingerprint == key).unwrap()
    }
}

fn peer(key: Fingerprint, boot: u64) -> Peer {
    let presence = Presence {
        boot,
        sequence: 1,
        interval: 5,
        protocol: (SUPPORTED_VERSIONS.oldest, SUPPORTED_VERSIONS.newest),
        work_port: 9992,
        status_port: 9994,
        unicast_port: 7,
        jobs: 4,
        serial: 0,
    };
    let addresses = vec!["10.0.0.2:0".parse().unwrap(), "10.0.0.1:0".parse().unwrap()];
    Peer { fingerprint: key, presence, addresses, last_heard: Default::default(), contact: Contact::None }
}

fn linked(key: Fingerprint) -> [LinkReport; 2] {
    let address = "10.0.0.1:4711".parse().unwrap();
    [
        LinkReport::Linked { key, address, hello: Hello::of_this_build(4) },
        LinkReport::Shown { key, view: LinkView::Up { suspected: false } },
    ]
}

#[actix_rt::test]
async fn only_trusted_peers_that_speak_the_protocol_are_dialled() {
    let mut host = Host::new().await;
    let stranger = Fingerprint([9; 32]);
    host.notice(Notice::Dial(peer(stranger, 1))).await;
    let mut other = peer(friend(), 1);
    other.presence.protocol = (SUPPORTED_VERSIONS.newest + 1, SUPPORTED_VERSIONS.newest + 2);
    host.notice(Notice::Dial(other)).await;
    host.notice(Notice::Dial(peer(friend(), 1))).await;
    let addresses = vec!["10.0.0.2:9994".parse().unwrap(), "10.0.0.1:9994".parse().unwrap()];
    assert_eq!(host.heard.recv().await, Some(Request::DialPeer(friend(), addresses)));
    assert!(host.view(stranger).await.obstacle.unwrap().contains("not trusted"));
    assert_eq!(host.view(friend()).await.jobs, Some(4));
    assert!(host.heard.try_recv().is_err());
}

#[actix_rt::test]
async fn a_peer_that_runs_anew_keeps_nothing_of_what_it_said_over_its_last_link() {
    let host = Host::new().await;
    host.notice(Notice::Updated(peer(friend(), 1))).await;
    for report in linked(friend()) {
        host.report(report).await;
    }
    let load = Load { running: 2, ..Load::default() };
    host.report(LinkReport::Load { key: friend(), load }).await;
    let view = host.view(friend()).await;
    assert_eq!((view.load, view.obstacle), (Some(load), None));
    host.report(LinkReport::Lost(friend())).await;
    let down = LinkView::Down { reason: "cut".to_owned() };
    host.report(LinkReport::Shown { key: friend(), view: down }).await;
    let view = host.view(friend()).await;
    assert!(view.load.is_none() && view.platform.is_some());
    host.notice(Notice::Gone { fingerprint: friend(), why: Why::Silent }).await;
    assert!(!host.view(friend()).await.present);
    host.notice(Notice::Updated(peer(friend(), 2))).await;
    let view = host.view(friend()).await;
    assert!(view.present && view.platform.is_none(), "{view:#?}");
}

#[actix_rt::test]
async fn what_runners_say_reaches_links_and_people() {
    let mut host = Host::new().await;
    host.registry.send(Unresponsive(friend())).await.unwrap();
    assert_eq!(host.heard.recv().await, Some(Request::Doubt(friend())));
    host.registry.send(Performance { key: friend(), permille: 700 }).await.unwrap();
    assert_eq!(host.view(friend()).await.performance, Some(700));
}
