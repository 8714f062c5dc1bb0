//! The Work port: runners of trusted peers wait in a queue, and nobody else gets in.

use flotilla_messages::port::work::WorkMessage;
use serde_bytes::ByteBuf;

use crate::harness::Cluster;
use crate::visitor::{Visitor, stranger};

/// A daemon that trusts a runner's key.
async fn one_with_a_friend() -> Cluster {
    let mut cluster = Cluster::new(2);
    cluster.up(0).await;
    cluster.approve(0, 1).await;
    cluster
}

fn runner(cluster: &Cluster) -> Visitor<WorkMessage> {
    let daemon = cluster.peers[0].fingerprint;
    let identity = cluster.peers[1].identity();
    Visitor::call(identity.signing_key(), daemon, cluster.daemon(0).addresses().work)
}

async fn place(runner: &mut Visitor<WorkMessage>) -> u16 {
    match runner.message().await {
        WorkMessage::Queue { ahead } => ahead,
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn runners_of_trusted_keys_are_told_their_places_and_what_is_no_packet_is_refused() {
    let cluster = one_with_a_friend().await;
    let mut first = runner(&cluster);
    first.up().await;
    assert_eq!(place(&mut first).await, 0);
    let mut second = runner(&cluster);
    second.up().await;
    assert_eq!(place(&mut second).await, 1);
    let mut client = cluster.client(0).await;
    assert_eq!(client.overview().await.unwrap().load.waiting, 2);
    first.say(WorkMessage::Packet(ByteBuf::from(vec![0; 1000]))).await;
    let WorkMessage::Refused { reason } = first.message().await else { panic!("no refusal") };
    assert!(reason.contains("a work packet of"), "{reason}");
    first.end().await;
    assert_eq!(place(&mut second).await, 0, "the next one moves up");
    second.say(WorkMessage::Queue { ahead: 0 }).await;
    let end = second.end().await.to_string();
    assert!(end.contains("not for a client to say"), "{end}");
    cluster.end().await;
}

#[actix_rt::test]
async fn an_untrusted_key_gets_no_link_and_changes_nothing() {
    let cluster = one_with_a_friend().await;
    let before = cluster.peers[0].files("trusted");
    let at = cluster.daemon(0).addresses().work;
    let mut nobody = Visitor::<WorkMessage>::call(&stranger(9), cluster.peers[0].fingerprint, at);
    let end = nobody.end().await.to_string();
    assert!(end.contains("the peer does not trust our key"), "{end}");
    assert_eq!(cluster.peers[0].files("trusted"), before);
    cluster.end().await;
}

/// Such a link stayed in the queue as long as its runner sent heartbeats.
#[actix_rt::test]
async fn a_revocation_closes_the_links_of_runners_that_say_nothing() {
    let cluster = one_with_a_friend().await;
    let mut waiting = runner(&cluster);
    waiting.up().await;
    assert_eq!(place(&mut waiting).await, 0);
    cluster.revoke(0, 1).await;
    let end = waiting.end().await.to_string();
    assert!(end.contains("not trusted"), "{end}");
    let end = runner(&cluster).end().await.to_string();
    assert!(end.contains("the peer does not trust our key"), "{end}");
    cluster.end().await;
}
