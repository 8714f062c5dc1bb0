//! Cables that are cut, peers that leave, vanish and return, and those that take another's address.

use flotilla_messages::port::local::LinkView;

use crate::cable::Cable;
use crate::harness::{Cluster, linked, usable};

async fn two_friends() -> Cluster {
    let cluster = Cluster::start(2).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    cluster
}

#[actix_rt::test]
async fn a_cut_cable_is_shown_and_the_link_comes_back_by_itself() {
    let cluster = two_friends().await;
    cluster.cable(0, 1, Cable::Cut);
    for (who, whom) in [(0, 1), (1, 0)] {
        let cut = cluster.until_obstacle(who, whom, "there is no link to it").await;
        assert!(!usable(&cut) && !linked(&cut));
        assert_eq!(cut.load, None, "what it said of itself is not so any more");
        assert!(cut.platform.is_some(), "what it is does not change");
    }
    cluster.cable(0, 1, Cable::Whole);
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

/// A link that broke in the handshake counted as hopeless: the peer was left alone for five minutes.
#[actix_rt::test]
async fn a_cable_that_stays_cut_over_some_dials_heals_all_the_same() {
    let cluster = two_friends().await;
    cluster.cable(0, 1, Cable::Cut);
    let failed = |reason: &str| reason.contains("handshake") || reason.contains("cannot connect");
    for (who, whom) in [(0, 1), (1, 0)] {
        cluster
            .until(
                "dialled in vain",
                who,
                whom,
                |view| matches!(&view.link, LinkView::Down { reason } if failed(reason)),
            )
            .await;
    }
    cluster.cable(0, 1, Cable::Whole);
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_silent_cable_is_suspected_and_recovers() {
    let cluster = two_friends().await;
    cluster.cable(0, 1, Cable::Silent);
    let suspected = cluster.until_obstacle(0, 1, "silent for some seconds").await;
    assert_eq!(suspected.link, LinkView::Up { suspected: true });
    cluster.cable(0, 1, Cable::Whole);
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_cable_that_stays_silent_is_lost_and_comes_back() {
    let cluster = two_friends().await;
    cluster.cable(0, 1, Cable::Silent);
    for (who, whom) in [(0, 1), (1, 0)] {
        cluster.until("lost", who, whom, |view| !matches!(view.link, LinkView::Up { .. })).await;
    }
    cluster.cable(0, 1, Cable::Whole);
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_peer_that_is_stopped_says_so_and_returns_with_other_ports_and_job_slots() {
    let mut cluster = two_friends().await;
    let before = cluster.view(0, 1).await.unwrap();
    cluster.down(1).await;
    let gone = cluster.until_obstacle(0, 1, "it left the network").await;
    assert!(!gone.present);
    let LinkView::Down { reason } = &gone.link else { panic!("{gone:#?}") };
    assert!(reason.contains("the test says so"), "{reason}");
    cluster.peers[1].settings.jobs = 7;
    cluster.up(1).await;
    let back = cluster.until_usable(0, 1).await;
    assert_eq!((back.jobs, back.present), (Some(7), true));
    let work = cluster.daemon(1).addresses().work;
    assert_eq!(back.address, Some(work.to_string()));
    assert_ne!(back.address, before.address);
    cluster.until_usable(1, 0).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_peer_that_vanished_is_not_usable_at_once_and_whoever_takes_its_address_is_refused() {
    let mut cluster = Cluster::new(3);
    cluster.up(0).await;
    cluster.up(1).await;
    cluster.befriend(0, 1).await;
    cluster.down(1).await;
    let elsewhere = cluster.up_elsewhere(1).await;
    let usable_there = cluster.until_usable(0, 1).await;
    assert_eq!(usable_there.address, Some(elsewhere.addresses.work.to_string()));
    let status = elsewhere.addresses.status;
    elsewhere.kill();
    // No Goodbye: it counts as present until its announcements are missed, but not as usable.
    let cut = cluster.until("not usable", 0, 1, |view| !usable(view)).await;
    assert!(cut.present && !linked(&cut), "{cut:#?}");
    cluster.peers[2].settings.status = status;
    cluster.up(2).await;
    let other = format!("it is the key {} that answers", cluster.peers[2].fingerprint);
    cluster.until_obstacle(0, 1, &other).await;
    assert!(!usable(&cluster.view(0, 2).await.unwrap()), "the address lends no trust");
    // The real one starts again, elsewhere.
    cluster.up(1).await;
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}
