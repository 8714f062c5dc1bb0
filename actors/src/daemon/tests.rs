//! The life of a daemon. What daemons do with one another is tested in clusters.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use actix::Actor;
use ed25519_dalek::SigningKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::statement::{SignedStatement, Statement};
use serde_bytes::ByteBuf;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::{Daemon, DaemonEvent, Settings, StartError};
use crate::daemon::registry::GetPeers;
use crate::kit::{DeathWatch, unix_seconds};
use crate::net::discovery::{Interfaces, Network};
use crate::trust::identity::Home;
use crate::trust::{Command, GetStandings, GetStatements, StopTrustStore, TrustInput};

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(30);

fn home() -> (TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path());
    home.setup().unwrap();
    (dir, home)
}

fn alone() -> Settings {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Settings { local: anywhere, work: anywhere, status: anywhere, discovery: None, ..Settings::default() }
}

#[actix_rt::test]
async fn a_port_that_is_taken_is_named_and_nothing_is_left_running() {
    let (_dir, home) = home();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = taken.local_addr().unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let status = free.local_addr().unwrap();
    drop(free);
    let settings = Settings { status, work: address, ..alone() };
    let error = Daemon::start(&home, settings.clone()).await.err().unwrap();
    let StartError::Port { port: "Work", address: named, .. } = &error else { panic!("{error}") };
    assert_eq!(*named, address);
    assert!(error.to_string().starts_with(&format!("cannot listen at {address} (the Work port): ")));
    // The Status port was open already: it is given back as soon as its listener is asked.
    drop(taken);
    let again = async {
        loop {
            match Daemon::start(&home, settings.clone()).await {
                Ok(daemon) => return daemon,
                Err(StartError::Port { port: "Status", .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let daemon = tokio::time::timeout(PATIENCE, again).await.unwrap();
    assert_eq!((daemon.addresses().status, daemon.addresses().work), (status, address));
    daemon.stop("done").await;
}

#[actix_rt::test]
async fn without_an_identity_nothing_starts() {
    let dir = tempfile::tempdir().unwrap();
    let error = Daemon::start(&Home::at(dir.path()), alone()).await.err().unwrap();
    assert!(matches!(error, StartError::Home(_)), "{error}");
}

#[actix_rt::test]
async fn a_stopped_daemon_has_closed_its_ports_and_can_be_started_on_them_again() {
    let (_dir, home) = home();
    let mut settings = alone();
    for _ in 0..3 {
        let daemon = Daemon::start(&home, settings.clone()).await.unwrap();
        let addresses = daemon.addresses();
        let ports = [addresses.local, addresses.work, addresses.status];
        (settings.local, settings.work, settings.status) = (ports[0], ports[1], ports[2]);
        for port in ports {
            TcpStream::connect(port).await.unwrap();
        }
        daemon.stop("done").await;
        for port in ports {
            assert!(TcpStream::connect(port).await.is_err(), "{port} is still open");
        }
    }
}

#[actix_rt::test]
async fn all_addresses_of_both_families_are_listened_at() {
    let (_dir, home) = home();
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let daemon = Daemon::start(&home, Settings { work: any, status: any, ..alone() }).await.unwrap();
    let port = daemon.addresses().status.port();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    daemon.stop("done").await;
}

#[actix_rt::test]
async fn the_death_of_an_actor_is_the_end_of_the_daemon() {
    let (_dir, home) = home();
    let mut daemon = Daemon::start(&home, alone()).await.unwrap();
    daemon.trust().send(StopTrustStore).await.unwrap();
    assert_eq!(daemon.ended().await, DaemonEvent::Died("TrustStore"));
    // Until it has ended nobody is trusted, and nobody waits in vain.
    assert!(daemon.registry().send(GetPeers).await.unwrap().standings.keys.is_empty());
    assert!(daemon.trust().send(GetStandings).await.is_err());
    daemon.stop("done").await;
}

#[actix_rt::test]
async fn each_start_has_a_higher_number_and_discovery_has_a_port_of_its_own() {
    let (_dir, home) = home();
    let network = Network { port: 0, interfaces: Interfaces::Only(Vec::new()), ..Network::default() };
    let udp = super::UdpSettings { network, ..super::UdpSettings::default() };
    let mut last = 0;
    for _ in 0..2 {
        let settings = Settings { discovery: Some(udp.clone()), ..alone() };
        let daemon = Daemon::start(&home, settings).await.unwrap();
        assert!(daemon.addresses().discovery.is_some_and(|port| port > 0));
        let text = std::fs::read_to_string(home.path().join("data/boot")).unwrap();
        let boot: u64 = text.trim().parse().unwrap();
        assert!(boot > last, "{boot} after {last}");
        last = boot;
        daemon.stop("done").await;
    }
}

/// Dies of the first thing that it is told.
struct Mortal(#[allow(dead_code, reason = "held until it dies")] DeathWatch<DaemonEvent>);

impl Actor for Mortal {
    type Context = actix::Context<Self>;
}

#[actix_rt::test]
async fn whoever_drops_what_is_vital_is_named() {
    let (sender, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let watch = DeathWatch::new("Mortal", sender);
    watch.send(DaemonEvent::Asked);
    drop(Mortal(watch).start());
    assert_eq!(ended.recv().await, Some(DaemonEvent::Asked));
    assert_eq!(ended.recv().await, Some(DaemonEvent::Died("Mortal")));
}

#[actix_rt::test]
async fn a_trusted_key_that_makes_statement_upon_statement_does_not_keep_the_disk_busy() {
    let (_dir, home) = home();
    let daemon = Daemon::start(&home, alone()).await.unwrap();
    let key = SigningKey::from_bytes(&[7; 32]);
    let issuer = Fingerprint::of(&key.verifying_key());
    daemon.trust().send(Command::Approve(key.verifying_key().to_bytes())).await.unwrap().unwrap();
    for serial in 1..=300 {
        let statement = Statement::new(key.verifying_key(), serial, unix_seconds(), []).sign(&key).unwrap();
        let bytes = ByteBuf::from(statement.bytes());
        daemon.trust().send(TrustInput::Statement { from: issuer, bytes }).await.unwrap();
    }
    let kept = daemon.trust().send(GetStatements(vec![issuer])).await.unwrap();
    let kept = SignedStatement::open(&kept[0]).unwrap();
    // 64 at once; a slow machine may have let some more come in the meantime.
    assert!((64..200).contains(&kept.content().serial), "{kept:?}");
    daemon.stop("done").await;
}
