//! Many peers.

use std::time::Instant;

use crate::harness::{Cluster, Polls, usable};

const PEERS: usize = 30;

#[actix_rt::test]
async fn thirty_peers_around_one_come_to_use_one_another() {
    let start = Instant::now();
    let cluster = Cluster::start(PEERS).await;
    for peer in 1..PEERS {
        cluster.befriend(0, peer).await;
    }
    let mut polls = Polls::new();
    for who in 0..PEERS {
        loop {
            let shown = cluster.shown(who).await.peers;
            let count = shown.iter().filter(|peer| usable(peer)).count();
            if count == PEERS - 1 {
                assert_eq!(shown.len(), PEERS - 1);
                break;
            }
            let why = || shown.iter().filter_map(|peer| peer.obstacle.clone()).collect::<Vec<_>>();
            assert!(polls.next().await, "{who} can use {count}: {:#?}", why());
        }
    }
    println!("{PEERS} peers use one another after {:.1} s", start.elapsed().as_secs_f64());
    cluster.end().await;
}
