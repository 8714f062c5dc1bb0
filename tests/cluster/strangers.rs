//! What strangers say and what is said in others' names.

use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use flotilla_messages::port::status::StatusMessage;
use flotilla_messages::statement::{LIFETIME, Statement};
use flotilla_messages::{DatagramKind, Fingerprint, Presence};
use serde_bytes::ByteBuf;

use crate::harness::{Cluster, Polls};
use crate::visitor::{Visitor, name, stranger};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn approving(key: &SigningKey, serial: u64, issued: u64, whom: Fingerprint) -> Vec<u8> {
    let statement = Statement::new(key.verifying_key(), serial, issued, [whom]).sign(key).unwrap();
    statement.bytes().to_vec()
}

fn call(cluster: &Cluster, key: &SigningKey) -> Visitor<StatusMessage> {
    Visitor::call(key, cluster.peers[0].fingerprint, cluster.daemon(0).addresses().status)
}

#[actix_rt::test]
async fn a_stranger_that_trusts_this_machine_is_shown_and_nothing_is_written() {
    let cluster = Cluster::start(1).await;
    let before = cluster.peers[0].files("trusted");
    let (key, own) = (stranger(5), cluster.peers[0].fingerprint);
    let mut visitor = call(&cluster, &key);
    visitor.up().await;
    visitor.say(StatusMessage::TrustYouNow(ByteBuf::from(approving(&key, 1, now(), own)))).await;
    let end = visitor.end().await.to_string();
    assert!(end.contains("this key is not trusted here"), "{end}");
    let mut polls = Polls::new();
    let shown = loop {
        let shown = cluster.shown(0).await.peers;
        if let Some(shown) = shown.into_iter().find(|peer| peer.fingerprint == name(&key)) {
            break shown;
        }
        assert!(polls.next().await, "it is not shown");
    };
    assert_eq!((shown.trusts_me, shown.chain), (vec![own], Vec::new()));
    assert!(shown.obstacle.unwrap().contains("not trusted"));
    assert_eq!(cluster.peers[0].files("trusted"), before);
    // Now its key is known by name.
    let mut client = cluster.client(0).await;
    let question = flotilla_messages::port::local::Question::ApproveKnown { key: name(&key) };
    client.ask(question).await.unwrap();
    assert_eq!(cluster.peers[0].files("trusted").len(), before.len() + 2, "its key and its statement");
    cluster.end().await;
}

#[actix_rt::test]
async fn unknown_keys_that_crowd_the_status_port_keep_no_trusted_one_out() {
    let cluster = Cluster::start_with(2, |_, settings| settings.quotas.strangers = 2).await;
    let mut crowd: Vec<_> = (10..20).map(|seed| call(&cluster, &stranger(seed))).collect();
    let mut inside = 0;
    for visitor in &mut crowd[..2] {
        visitor.up().await;
        inside += 1;
    }
    let mut refused = 0;
    for visitor in &mut crowd[2..] {
        let end = visitor.refused().await.to_string();
        assert!(end.contains("there are many like it"), "{end}");
        refused += 1;
    }
    assert_eq!((inside, refused), (2, 8));
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn statements_that_nobody_signed_and_those_of_strangers_change_nothing() {
    let mut cluster = Cluster::new(2);
    cluster.up(0).await;
    cluster.approve(0, 1).await;
    let own = cluster.peers[0].fingerprint;
    let friend = cluster.peers[1].identity();
    let outsider = stranger(6);
    let before = cluster.peers[0].files("trusted");
    // In the friend's name, and signed by somebody else.
    let real = approving(friend.signing_key(), 9, now(), own);
    let mut forged = real.clone();
    let other = approving(&outsider, 9, now(), own);
    let signature = real.len() - 64;
    forged[signature..].copy_from_slice(&other[signature..]);
    let mut cut = real.clone();
    cut.truncate(real.len() - 1);
    let expired = approving(friend.signing_key(), 9, now() - 2 * LIFETIME, own);
    // A stranger who does not trust this machine.
    let useless = approving(&outsider, 1, now(), name(&stranger(7)));
    let messages = [
        StatusMessage::Statement(ByteBuf::from(forged)),
        StatusMessage::Statement(ByteBuf::from(cut)),
        StatusMessage::TrustYouNow(ByteBuf::from(expired)),
        StatusMessage::Statement(ByteBuf::from(useless)),
        StatusMessage::TrustYouNow(ByteBuf::from(Vec::new())),
    ];
    // The friend itself tells all of it over one link.
    let mut visitor = call(&cluster, friend.signing_key());
    visitor.up().await;
    for message in &messages {
        visitor.say(message.clone()).await;
    }
    // Answered once everything before was handled.
    visitor.say(StatusMessage::Want(vec![own])).await;
    loop {
        if let StatusMessage::Statement(_) = visitor.message().await {
            break;
        }
    }
    assert_eq!(cluster.peers[0].files("trusted"), before);
    // And a stranger each of it over a link of its own.
    for (seed, message) in (30..).zip(messages) {
        let mut visitor = call(&cluster, &stranger(seed));
        visitor.up().await;
        visitor.say(message).await;
        let end = visitor.end().await.to_string();
        assert!(end.contains("this key is not trusted here"), "{end}");
    }
    let known = cluster.shown(0).await.peers.len();
    assert_eq!((cluster.peers[0].files("trusted"), known), (before, 1));
    // What the friend really says counts.
    visitor.say(StatusMessage::TrustYouNow(ByteBuf::from(real.clone()))).await;
    cluster.until("said", 0, 1, |view| view.trusts_me == [own]).await;
    let statement = format!("{}.statement", cluster.peers[1].fingerprint);
    assert_eq!(cluster.peers[0].files("trusted")[&statement], real);
    // Told once more with a lower serial: it stays.
    let lower = approving(friend.signing_key(), 8, now(), name(&stranger(7)));
    visitor.say(StatusMessage::TrustYouNow(ByteBuf::from(lower))).await;
    visitor.say(StatusMessage::Want(vec![own])).await;
    loop {
        if let StatusMessage::Statement(_) = visitor.message().await {
            break;
        }
    }
    assert_eq!(cluster.peers[0].files("trusted")[&statement], real);
    cluster.end().await;
}

#[actix_rt::test]
async fn datagrams_that_were_said_before_or_are_forged_change_nothing() {
    let cluster = Cluster::start(2).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    let seen = cluster.until("heard", 0, 1, |view| view.heard.is_some()).await;
    let files = [cluster.peers[0].files("trusted"), cluster.peers[0].files("data")];
    let heard = cluster.shown(0).await.heard.unwrap();
    let presence = Presence {
        boot: 1,
        sequence: 1,
        interval: 5,
        protocol: (1, 1),
        work_port: 1,
        status_port: 1,
        unicast_port: 1,
        jobs: 99,
        serial: 1,
    };
    let key = cluster.peers[1].identity();
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let to = ("127.0.0.1", cluster.daemon(0).addresses().discovery.unwrap());
    // Of an earlier boot, as somebody may have kept it.
    for kind in [DatagramKind::Announce, DatagramKind::Reply, DatagramKind::Goodbye] {
        socket.send_to(&presence.sign(kind, key.signing_key()), to).unwrap();
    }
    // Of a later one, but altered.
    let later = Presence { boot: u64::MAX, ..presence };
    let mut forged = later.sign(DatagramKind::Goodbye, key.signing_key());
    *forged.last_mut().unwrap() ^= 1;
    socket.send_to(&forged, to).unwrap();
    socket.send_to(b"something else", to).unwrap();
    let mut polls = Polls::new();
    loop {
        let now = cluster.shown(0).await.heard.unwrap();
        let counted = now.replayed >= heard.replayed + 3;
        if counted && now.forged > heard.forged && now.malformed > heard.malformed {
            break;
        }
        assert!(polls.next().await, "{now:?} after {heard:?}");
    }
    let after = cluster.view(0, 1).await.unwrap();
    assert_eq!((after.address, after.jobs, after.obstacle), (seen.address, seen.jobs, None));
    assert_eq!([cluster.peers[0].files("trusted"), cluster.peers[0].files("data")], files);
    cluster.end().await;
}
