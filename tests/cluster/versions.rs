//! Peers that speak other versions of the protocol.

use flotilla_messages::port::status::StatusMessage;
use flotilla_messages::wire::{Hello, SUPPORTED_VERSIONS, Versions};

use crate::harness::{Cluster, Polls, linked};
use crate::visitor::{Visitor, name, stranger};

const OLD: Versions = Versions { oldest: 1, newest: 1 };
const NEW: Versions = Versions { oldest: 2, newest: 2 };

#[actix_rt::test]
async fn an_old_and_a_new_peer_say_why_they_cannot_use_each_other() {
    let cluster = Cluster::start_with(2, |number, settings| settings.versions = [OLD, NEW][number]).await;
    cluster.befriend(0, 1).await;
    let old = cluster.until_obstacle(0, 1, "it speaks protocol version 2, this machine 1").await;
    let new = cluster.until_obstacle(1, 0, "it speaks protocol version 1, this machine 2").await;
    assert!(old.chain.len() == 1 && new.chain.len() == 1, "trust is another matter");
    assert!(!linked(&old) && !linked(&new));
    cluster.end().await;
}

#[actix_rt::test]
async fn peers_whose_versions_overlap_use_each_other() {
    let ranges = [Versions { oldest: 1, newest: 2 }, Versions { oldest: 2, newest: 3 }];
    let cluster = Cluster::start_with(2, |number, settings| settings.versions = ranges[number]).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_link_of_another_version_is_refused_at_both_ends_and_shown_among_the_refusals() {
    let cluster = Cluster::start(1).await;
    let at = cluster.daemon(0).addresses().status;
    let key = stranger(1);
    let later = SUPPORTED_VERSIONS.newest + 1;
    let versions = Versions { oldest: later, newest: later };
    let hello = Hello { versions, ..Hello::of_this_build(1) };
    let mut visitor = Visitor::<StatusMessage>::call_as(&key, cluster.peers[0].fingerprint, at, hello);
    let end = visitor.refused().await.to_string();
    assert!(
        end.contains(&format!("protocol versions do not meet: {later} here, {SUPPORTED_VERSIONS}")),
        "{end}"
    );
    let mut client = cluster.client(0).await;
    let mut polls = Polls::new();
    loop {
        let overview = client.overview().await.unwrap();
        let port = overview.ports.iter().find(|port| port.name == "Status").unwrap();
        if let Some(refusal) = port.refusals.last() {
            assert_eq!((refusal.key, port.refused), (Some(name(&key)), 1));
            let reason = &refusal.reason;
            let expected =
                format!("protocol versions do not meet: {SUPPORTED_VERSIONS} here, {later} at the peer");
            assert!(reason.contains(&expected), "{reason}");
            break;
        }
        assert!(polls.next().await, "the refusal is not shown");
    }
    cluster.end().await;
}
