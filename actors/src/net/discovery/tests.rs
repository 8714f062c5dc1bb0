//! Several peers on this host, over real sockets on the loopback interface.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use actix::{Actor, Addr, Context, Handler};
use ed25519_dalek::SigningKey;
use flotilla_messages::datagram::DATAGRAM_SIZE;
use flotilla_messages::{Datagram, DatagramKind, Fingerprint, Presence};

use super::*;
use crate::net::membership::Why;

const PATIENCE: Duration = Duration::from_secs(20);

/// Stands for the owner of the links, and remembers what it was told.
#[derive(Default)]
struct Registry(Vec<Notice>);

impl Actor for Registry {
    type Context = Context<Self>;
}

impl Handler<Notice> for Registry {
    type Result = ();

    fn handle(&mut self, notice: Notice, _: &mut Self::Context) {
        self.0.push(notice);
    }
}

struct Told;

impl actix::Message for Told {
    type Result = Vec<Notice>;
}

impl Handler<Told> for Registry {
    type Result = Vec<Notice>;

    fn handle(&mut self, _: Told, _: &mut Self::Context) -> Self::Result {
        self.0.clone()
    }
}

struct Host {
    name: Fingerprint,
    discovery: Addr<Discovery>,
    registry: Addr<Registry>,
}

/// A port that nobody uses now, for the peers of one test to share.
fn free_port() -> u16 {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn on_loopback(port: u16) -> Network {
    Network { port, interfaces: Interfaces::Only(vec!["lo".into()]), ..Network::default() }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn host(seed: u8, network: Network, static_peers: Vec<SocketAddr>) -> Host {
    let registry = Registry::default().start();
    let port = 9000 + u16::from(seed);
    let setup = DiscoverySetup {
        key: key(seed),
        announced: Announced { boot: 1, protocol: (1, 1), work_port: port, status_port: port + 100 },
        state: OwnState { jobs: 4, serial: 0 },
        network,
        static_peers,
        capacity: 64,
        seed: seed.into(),
        notices: registry.clone().recipient(),
    };
    let name = Fingerprint::of(&key(seed).verifying_key());
    Host { name, discovery: Discovery::start(setup).unwrap(), registry }
}

impl Host {
    async fn census(&self) -> Census {
        self.discovery.send(List).await.unwrap()
    }

    /// Asks until it is so.
    async fn until(&self, what: &str, holds: impl Fn(&Census) -> bool) -> Census {
        let end = Instant::now() + PATIENCE;
        loop {
            let census = self.census().await;
            if holds(&census) {
                return census;
            }
            assert!(Instant::now() < end, "not in time: {what}; {census:?}");
            tokio::task::yield_now().await;
        }
    }
}

fn sees(census: &Census, host: &Host) -> bool {
    census.peers.iter().any(|peer| peer.fingerprint == host.name)
}

fn announcement(seed: u8, sequence: u64) -> [u8; DATAGRAM_SIZE] {
    announcement_from(seed, sequence, 3)
}

fn announcement_from(seed: u8, sequence: u64, unicast_port: u16) -> [u8; DATAGRAM_SIZE] {
    let presence = Presence {
        boot: 1,
        sequence,
        interval: 5,
        protocol: (1, 1),
        work_port: 1,
        status_port: 2,
        unicast_port,
        jobs: 4,
        serial: 5,
    };
    presence.sign(DatagramKind::Announce, &key(seed))
}

#[actix_rt::test]
async fn several_peers_on_one_host_hear_one_another_change_and_leave() {
    let port = free_port();
    let hosts: Vec<Host> = (1..=3).map(|seed| host(seed, on_loopback(port), Vec::new())).collect();
    for one in &hosts {
        let others = || hosts.iter().filter(|other| other.name != one.name);
        let census = one.until("all see all", |census| others().all(|other| sees(census, other))).await;
        assert!(!sees(&census, one));
        let told = one.registry.send(Told).await.unwrap();
        let dials = |other: &Host| {
            told.iter().filter(|n| matches!(n, Notice::Dial(peer) if peer.fingerprint == other.name)).count()
        };
        assert!(others().all(|other| dials(other) == 1), "{told:?}");
    }
    let [first, second, third] = &hosts[..] else { unreachable!() };
    first.discovery.send(OwnState { jobs: 9, serial: 7 }).await.unwrap();
    let changed = |census: &Census| {
        census.peers.iter().any(|peer| {
            peer.fingerprint == first.name && (peer.presence.jobs, peer.presence.serial) == (9, 7)
        })
    };
    second.until("the change is heard", changed).await;
    third.until("the change is heard", changed).await;
    first.discovery.send(StopDiscovery).await.unwrap();
    second.until("the first is gone", |census| !sees(census, first)).await;
    let told = second.registry.send(Told).await.unwrap();
    assert!(told.contains(&Notice::Gone { fingerprint: first.name, why: Why::Goodbye }));
    assert!(sees(&second.census().await, third));
}

#[actix_rt::test]
async fn forged_replayed_and_foreign_datagrams_are_ignored_and_counted() {
    let port = free_port();
    let one = host(11, on_loopback(port), Vec::new());
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, one.census().await.unicast_port));
    let mut forged = announcement(12, 1);
    forged[DATAGRAM_SIZE - 1] ^= 1;
    let mut altered = announcement(12, 1);
    altered[60] ^= 1;
    for bytes in [&forged[..], &altered, b"hello", &announcement(12, 1)[..100], &[0; 1500]] {
        stranger.send_to(bytes, own).unwrap();
    }
    // Forged in this host's own name: an echo, as far as anybody can tell without looking closer.
    stranger.send_to(&announcement(11, 99), own).unwrap();
    let census = one.until("all are read", |c| c.heard.forged + c.heard.malformed >= 5).await;
    assert_eq!((census.heard.forged, census.heard.malformed, census.heard.good), (2, 3, 0));
    assert!(census.peers.is_empty());
    // The daemon is up, and hears who signs for itself; a replay does nothing.
    for _ in 0..3 {
        stranger.send_to(&announcement(12, 7), own).unwrap();
        stranger.send_to(&announcement(12, 6), own).unwrap();
    }
    let census = one.until("all are handled", |c| c.counters.replayed + c.counters.duplicate == 5).await;
    assert_eq!(census.peers.len(), 1);
    assert_eq!(census.peers[0].presence.sequence, 7);
}

/// Regression (amplification): a forged source address turns no host here against somebody else.
#[actix_rt::test]
async fn a_reply_is_never_larger_than_what_asked_for_it_and_noise_has_none() {
    let one = host(15, on_loopback(free_port()), Vec::new());
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, one.census().await.unicast_port));
    let bind = async || tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (noisy, stranger) = (bind().await, bind().await);
    let port = |socket: &tokio::net::UdpSocket| socket.local_addr().unwrap().port();
    let mut forged = announcement_from(16, 1, port(&noisy));
    forged[DATAGRAM_SIZE - 1] ^= 1;
    let whole = announcement_from(16, 1, port(&noisy));
    let long = [&whole[..], &[0]].concat();
    for bytes in [&b""[..], b"FLTD", &whole[..DATAGRAM_SIZE - 1], &long, &forged, &[0; 1200]] {
        noisy.send_to(bytes, own).await.unwrap();
    }
    one.until("the noise is read", |c| c.heard.forged + c.heard.malformed == 6).await;
    // How many replies there are is membership's to decide, and tested there.
    stranger.send_to(&announcement_from(17, 1, port(&stranger)), own).await.unwrap();
    let mut buffer = [0; 2000];
    let reply = tokio::time::timeout(PATIENCE, stranger.recv(&mut buffer)).await;
    let length = reply.expect("a reply in time").unwrap();
    assert!(length <= DATAGRAM_SIZE, "{length} bytes for {DATAGRAM_SIZE}");
    let reply = Datagram::open(&buffer[..length]).unwrap();
    assert_eq!((reply.kind, reply.fingerprint), (DatagramKind::Reply, one.name));
    assert!(noisy.try_recv(&mut buffer).is_err(), "an answer to noise");
}

#[actix_rt::test]
async fn peers_that_share_no_group_find_one_another_by_a_static_address() {
    // Different ports stand for a network that carries neither multicast nor broadcast.
    let (here, there) = (free_port(), free_port());
    let other = host(21, on_loopback(there), Vec::new());
    let one = host(22, on_loopback(here), vec![SocketAddr::from((Ipv4Addr::LOCALHOST, there))]);
    other.until("it is told", |census| sees(census, &one)).await;
    one.until("it is answered", |census| sees(census, &other)).await;
    one.discovery.send(StopDiscovery).await.unwrap();
    other.until("it is told of the end", |census| !sees(census, &one)).await;
}

#[actix_rt::test]
async fn an_interface_that_is_not_there_is_no_error() {
    let network = Network { interfaces: Interfaces::Only(vec!["none0".into()]), ..on_loopback(free_port()) };
    let one = host(31, network, Vec::new());
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, one.census().await.unicast_port));
    stranger.send_to(&announcement(32, 1), own).unwrap();
    one.until("it hears all the same", |census| census.peers.len() == 1).await;
}

#[actix_rt::test]
async fn a_flood_half_of_it_forged_delays_nothing_on_the_arbiter() {
    let one = host(41, on_loopback(free_port()), Vec::new());
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, one.census().await.unicast_port));
    let flood = std::thread::spawn(move || {
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let good: Vec<_> = (50..82).map(|seed| announcement(seed, 1)).collect();
        let start = Instant::now();
        // Ten thousand a second, for a second.
        for round in 0..10_000_u16 {
            while start.elapsed() < Duration::from_micros(100) * round.into() {
                std::thread::yield_now();
            }
            let round = usize::from(round);
            let mut bytes = good[round % good.len()];
            if round % 2 == 0 {
                bytes[DATAGRAM_SIZE - 1] ^= 1;
            }
            stranger.send_to(&bytes, own).unwrap();
        }
    });
    let mut longest = Duration::ZERO;
    let mut census = one.census().await;
    while !flood.is_finished() || census.heard.good == 0 {
        let before = Instant::now();
        actix_rt::time::sleep(Duration::from_millis(1)).await;
        census = one.census().await;
        longest = longest.max(before.elapsed());
    }
    flood.join().unwrap();
    println!("longest pause {longest:?}; {:?}", census.heard);
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}
