//! What comes to each of a daemon's TCP ports from those who do not speak its protocol.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use flotilla_messages::for_tests::skipped;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Cluster, PATIENCE, Polls};

/// Connections that say nothing, more than one address may have.
const HALF_OPEN: usize = 100;

/// Sends these bytes and waits until the other side has closed.
async fn throw(port: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(port).await.unwrap();
    // It may close before all is read.
    let _ = stream.write_all(bytes).await;
    let mut scrap = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut scrap)).await.expect("closed in time");
}

/// Ordinary TLS, as `openssl` speaks it; false where there is no such program.
async fn openssl(port: SocketAddr) -> bool {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-tls1_3", "-connect", &port.to_string()]).stdin(Stdio::null());
    let Ok(output) = tokio::task::spawn_blocking(move || command.output()).await.unwrap() else {
        return false;
    };
    assert!(!output.status.success(), "openssl got a connection");
    true
}

#[actix_rt::test]
async fn every_port_refuses_what_is_not_its_protocol_remembers_it_and_serves_on() {
    let cluster = Cluster::start(2).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    let files = || ["data", "trusted", "barred"].map(|directory| cluster.peers[0].files(directory));
    let mut polls = Polls::new();
    // The friend's statement counts a moment before it is on disk under its name.
    while !files()[1].contains_key(&format!("{}.statement", cluster.peers[1].fingerprint)) {
        assert!(polls.next().await, "its friend's statement is not on disk");
    }
    let before = files();
    let at = cluster.daemon(0).addresses();
    let ports = [at.local, at.work, at.status];
    let mut with_openssl = true;
    for port in ports {
        throw(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        // A frame that claims 4 GiB, without TLS around it.
        throw(port, b"\xff\xff\xff\xff\xff\xff").await;
        // A TLS record of the largest size, of noise.
        throw(port, &[&b"\x16\x03\x01\x40\x00"[..], &[0xa5; 16 << 10]].concat()).await;
        with_openssl &= openssl(port).await;
    }
    if !with_openssl {
        skipped("openssl, to try ordinary TLS");
    }
    let mut silent = Vec::new();
    for port in ports {
        for _ in 0..HALF_OPEN {
            silent.push(TcpStream::connect(port).await.unwrap());
        }
    }
    // Those that are too many give way at once; the links that are up are not touched by any of it.
    assert!(cluster.view(0, 1).await.unwrap().obstacle.is_none());
    drop(silent);
    let mut polls = Polls::new();
    let overview = loop {
        // As long as the silent ones are counted, one more from this address may be too many.
        match flotilla_actors::run::daemon_client::Client::connect(at.local, &cluster.peers[0].identity())
            .await
        {
            Ok(mut client) => break client.overview().await.unwrap(),
            Err(error) => assert!(polls.next().await, "{error}"),
        }
    };
    for port in &overview.ports {
        assert!(port.refused >= 3, "{port:#?}");
        assert!(port.refusals.len() <= 32, "{port:#?}");
        assert!(port.refusals.iter().any(|refusal| refusal.reason.contains("TLS")), "{port:#?}");
    }
    assert!(files() == before, "something was written");
    cluster.end().await;
}
