//! Trust spreads over links and is withdrawn.

use flotilla_messages::port::local::LinkView;

use crate::harness::{Cluster, linked};

#[actix_rt::test]
async fn two_that_approve_each_other_find_and_use_each_other() {
    let cluster = Cluster::start(2).await;
    let stranger = cluster.until("seen", 0, 1, |view| view.present).await;
    assert!(stranger.obstacle.unwrap().contains("not trusted"));
    cluster.approve(0, 1).await;
    let waiting = cluster
        .until("known not to trust back", 0, 1, |view| matches!(view.link, LinkView::Down { .. }))
        .await;
    assert!(waiting.obstacle.unwrap().contains("does not trust this machine"));
    cluster.approve(1, 0).await;
    for (who, whom) in [(0, 1), (1, 0)] {
        let view = cluster.until_usable(who, whom).await;
        assert_eq!((view.jobs, view.chain.len()), (Some(2), 1));
        assert_eq!(view.platform.unwrap(), format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
        cluster.until("known to trust", who, whom, |view| view.trusts_me.len() == 1).await;
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn trust_goes_over_a_chain_and_a_revocation_takes_it_back_and_closes_the_link() {
    let cluster = Cluster::start(3).await;
    for (who, whom) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
        cluster.approve(who, whom).await;
    }
    let seen = cluster.until_usable(0, 2).await;
    assert_eq!(seen.chain, [cluster.peers[1].fingerprint, cluster.peers[2].fingerprint]);
    cluster.until_usable(2, 0).await;
    cluster.revoke(1, 2).await;
    let gone = cluster.until("closed", 0, 2, |view| view.chain.is_empty() && !linked(view)).await;
    assert!(gone.obstacle.unwrap().contains("not trusted"));
    cluster.until("closed there", 2, 0, |view| !linked(view)).await;
    assert!(cluster.view(1, 2).await.unwrap().barred);
    // Barred however it is reached, until it is approved again.
    cluster.approve(0, 2).await;
    cluster.until_usable(0, 1).await;
    assert!(cluster.view(1, 2).await.unwrap().chain.is_empty());
    cluster.approve(1, 2).await;
    cluster.until_usable(1, 2).await;
    cluster.end().await;
}
