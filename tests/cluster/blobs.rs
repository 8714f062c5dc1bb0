//! Large blobs from peer to peer, and what happens when that does not work.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use flotilla_actors::content::inputs::{Packs, Tree};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Digest;
use flotilla_messages::port::work::WorkMessage;

use crate::client::{Client, Files, lease};
use crate::harness::{Cluster, Polls};

/// The peer that works, the client, and who has the blob.
const PEER: usize = 0;
const CLIENT: usize = 1;
const HOLDER: usize = 2;

/// Bytes that no compression makes smaller.
pub fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// Both work for the client; they trust each other if so asked.
async fn three(friends: bool) -> Cluster {
    let cluster = Cluster::start(3).await;
    cluster.approve(PEER, CLIENT).await;
    cluster.approve(HOLDER, CLIENT).await;
    if friends {
        cluster.befriend(PEER, HOLDER).await;
    }
    cluster
}

async fn connect(cluster: &Cluster, to: usize) -> Client {
    let address = cluster.daemon(to).addresses().work;
    let identity = cluster.peers[CLIENT].identity();
    Client::connect(identity, cluster.peers[to].fingerprint, address).await.unwrap()
}

/// An engine's worth of bytes, and a script that looks at them.
fn files() -> (Files, Tree, Digest) {
    let files = Files::new(&[("look", "test $(wc -c < large) = 3000000")]);
    let large = noise(3_000_000);
    fs::write(files.root().join("large"), &large).unwrap();
    let tree = files.tree();
    (files, tree, Digest::of(&large))
}

/// What became of the word that a blob is to be had elsewhere.
#[derive(Debug, PartialEq)]
enum Came {
    /// It was fetched there.
    FromThere,
    /// It was wanted from the client in the end.
    FromClient,
}

/// Ships all to the peer but the large blob, which it is told to get elsewhere. A test runs with it then.
async fn told_of(
    cluster: &Cluster,
    (files, tree, large): &(Files, Tree, Digest),
    key: Fingerprint,
    at: SocketAddr,
) -> Came {
    let mut client = connect(cluster, PEER).await;
    client.turn().await;
    client.say_packet(&client.packet(files, tree.root));
    let mut told = false;
    let mut came = Came::FromThere;
    loop {
        let mut wanted = match client.message().await {
            WorkMessage::Want(wanted) => wanted,
            WorkMessage::Ready { .. } => break,
            other => panic!("{other:?}"),
        };
        if wanted.contains(large) {
            if told {
                came = Came::FromClient;
            } else {
                told = true;
                wanted.retain(|digest| digest != large);
                client.say(WorkMessage::Elsewhere { blobs: vec![*large], holder: key, address: at });
            }
        }
        for pack in Packs::new(tree, wanted).unwrap() {
            client.say(WorkMessage::Pack(pack.unwrap()));
        }
    }
    assert!(told);
    client.say(WorkMessage::Assign(vec![lease(1, "look")]));
    let endings = client.endings(1).await;
    assert!(format!("{endings:?}").contains("outcome: Pass"), "{endings:?}");
    client.done().await;
    came
}

/// Where the holder keeps the blob.
fn blob(cluster: &Cluster, digest: &Digest) -> PathBuf {
    let text = digest.to_string();
    cluster.peers[HOLDER].home().path().join("blobs").join(&text[..2]).join(&text[2..])
}

fn holder(cluster: &Cluster) -> (Fingerprint, SocketAddr) {
    (cluster.peers[HOLDER].fingerprint, cluster.daemon(HOLDER).addresses().work)
}

/// Whether what the peer fetched before is forgotten: it has no blobs any more.
fn forget(cluster: &Cluster, digest: &Digest) {
    let text = digest.to_string();
    let path = cluster.peers[PEER].home().path().join("blobs").join(&text[..2]).join(&text[2..]);
    fs::remove_file(path).unwrap();
    let client = cluster.peers[CLIENT].fingerprint.to_string();
    fs::remove_dir_all(cluster.peers[PEER].home().path().join("work").join(client).join("root")).unwrap();
}

#[actix_rt::test]
async fn a_blob_comes_from_a_peer_that_works_and_from_one_that_does_not() {
    let cluster = three(true).await;
    let shipped = files();
    let (key, at) = holder(&cluster);
    let mut working = connect(&cluster, HOLDER).await;
    working.ready(&shipped.0).await;
    // It is the client's turn there, and the peer has to fetch beside that.
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromThere);
    working.done().await;
    forget(&cluster, &shipped.2);
    // Nobody is served there: it looks like a client at first.
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromThere);
    // And it is no client that would be in the way of others.
    let mut next = connect(&cluster, HOLDER).await;
    next.ready(&shipped.0).await;
    assert_eq!(next.wanted, 0);
    cluster.end().await;
}

#[actix_rt::test]
async fn what_cannot_be_fetched_comes_from_the_client() {
    let cluster = three(true).await;
    let shipped = files();
    let (key, at) = holder(&cluster);
    // It has nothing.
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromClient);
    forget(&cluster, &shipped.2);
    // Nobody is there; somebody else is there; nobody trusted is meant.
    let nobody = "127.0.0.1:1".parse().unwrap();
    assert_eq!(told_of(&cluster, &shipped, key, nobody).await, Came::FromClient);
    forget(&cluster, &shipped.2);
    let other = cluster.peers[CLIENT].fingerprint;
    assert_eq!(told_of(&cluster, &shipped, other, at).await, Came::FromClient);
    cluster.end().await;
}

#[actix_rt::test]
async fn a_holder_that_sends_something_else_is_found_out() {
    let cluster = three(true).await;
    let shipped = files();
    let (key, at) = holder(&cluster);
    let mut working = connect(&cluster, HOLDER).await;
    working.ready(&shipped.0).await;
    // As it would be sent by one that means harm: the same size, other bytes.
    let path = blob(&cluster, &shipped.2);
    fs::remove_file(&path).unwrap();
    fs::write(&path, vec![7; 3_000_000]).unwrap();
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromClient);
    // It stops amid the blob.
    forget(&cluster, &shipped.2);
    fs::write(&path, &noise(3_000_000)[..1_500_000]).unwrap();
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromClient);
    cluster.end().await;
}

#[actix_rt::test]
async fn strangers_get_no_blob() {
    let cluster = three(false).await;
    let shipped = files();
    let (key, at) = holder(&cluster);
    let mut working = connect(&cluster, HOLDER).await;
    working.ready(&shipped.0).await;
    // Neither trusts the other.
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromClient);
    forget(&cluster, &shipped.2);
    // The peer trusts the holder, which does not trust it.
    cluster.approve(PEER, HOLDER).await;
    let mut polls = Polls::new();
    while cluster.view(PEER, HOLDER).await.is_none() {
        assert!(polls.next().await, "they do not meet");
    }
    assert_eq!(told_of(&cluster, &shipped, key, at).await, Came::FromClient);
    cluster.end().await;
}

#[actix_rt::test]
async fn a_client_is_not_asked_for_blobs() {
    let cluster = three(true).await;
    let shipped = files();
    let mut working = connect(&cluster, HOLDER).await;
    working.ready(&shipped.0).await;
    working.say(WorkMessage::Fetch(vec![shipped.2]));
    assert!(working.refusal().await.contains("does not fetch"));
    let mut early = connect(&cluster, PEER).await;
    early.turn().await;
    let (holder, address) = holder(&cluster);
    early.say(WorkMessage::Elsewhere { blobs: vec![shipped.2], holder, address });
    assert!(early.refusal().await.contains("nobody asked for"));
    cluster.end().await;
}
