//! Trust spreads over links and is withdrawn.

use flotilla_actors::trust::{Command, CommandError};
use flotilla_messages::port::local::{LinkView, PeerView};

use crate::cable::Cable;
use crate::harness::{Cluster, linked, usable};

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

#[actix_rt::test]
async fn without_chains_only_those_approved_here_are_trusted() {
    let change = |number, settings: &mut flotilla_actors::daemon::Settings| {
        settings.trust.transitive = number != 0;
    };
    let cluster = Cluster::start_with(3, change).await;
    cluster.befriend(0, 1).await;
    cluster.befriend(1, 2).await;
    cluster.until_friends(0, 1).await;
    cluster.until_friends(1, 2).await;
    let off = cluster.until_obstacle(0, 2, "approved by a trusted key only, and chains are off").await;
    assert!(off.chain.is_empty());
    let cold = cluster.until_obstacle(2, 0, "does not trust this machine").await;
    assert_eq!(cold.chain.len(), 2, "the other end may go by chains");
    cluster.befriend(0, 2).await;
    cluster.until_friends(0, 2).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn trust_goes_over_four_keys_and_not_over_five() {
    let cluster = Cluster::start(6).await;
    for one in 0..5 {
        cluster.befriend(one, one + 1).await;
    }
    for (who, whom) in [(0, 4), (1, 5), (5, 1), (4, 0)] {
        cluster.until_usable(who, whom).await;
        // A link may be up before the last statement of the chain has come.
        let whole = |view: &PeerView| (view.chain.len(), view.trusts_me.len()) == (4, 4);
        cluster.until("seen in both directions", who, whom, whole).await;
    }
    for (who, whom) in [(0, 5), (5, 0)] {
        let deep = cluster.until_obstacle(who, whom, "a chain of 5 keys, and the limit is 4").await;
        assert!(deep.chain.is_empty() && !linked(&deep));
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn a_revocation_that_was_issued_during_a_cut_takes_effect_when_it_heals() {
    let cluster = Cluster::start(3).await;
    cluster.befriend(0, 1).await;
    cluster.befriend(1, 2).await;
    cluster.until_friends(0, 1).await;
    cluster.until_friends(0, 2).await;
    cluster.cable(0, 1, Cable::Cut);
    cluster.cable(0, 2, Cable::Cut);
    cluster.until("cut", 0, 1, |view| !usable(view)).await;
    cluster.until("cut", 0, 2, |view| !usable(view)).await;
    cluster.revoke(1, 2).await;
    assert_eq!(cluster.view(0, 2).await.unwrap().chain.len(), 2, "who cannot be told goes on trusting");
    cluster.cable(0, 1, Cable::Whole);
    cluster.cable(0, 2, Cable::Whole);
    cluster.until("withdrawn", 0, 2, |view| view.chain.is_empty()).await;
    cluster.until_friends(0, 1).await;
    cluster.until("closed", 0, 2, |view| !linked(view)).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn an_approval_that_was_given_during_a_cut_takes_effect_when_it_heals() {
    let cluster = Cluster::start(3).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    cluster.cable(0, 1, Cable::Cut);
    cluster.until("cut", 0, 1, |view| !usable(view)).await;
    cluster.befriend(1, 2).await;
    cluster.until_friends(1, 2).await;
    cluster.cable(0, 1, Cable::Whole);
    cluster.until_friends(0, 2).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn approvals_bars_and_statements_survive_a_restart() {
    let mut cluster = Cluster::start(3).await;
    cluster.befriend(0, 1).await;
    cluster.befriend(1, 2).await;
    cluster.until_friends(0, 2).await;
    cluster.revoke(0, 2).await;
    for number in 0..3 {
        cluster.down(number).await;
    }
    let before = cluster.peers[0].files("trusted");
    cluster.up(0).await;
    // Before anybody else is up: from its own disk.
    let barred = cluster.view(0, 2).await.unwrap();
    assert!(barred.barred && barred.obstacle.unwrap().contains("revoked here"));
    let friend = cluster.view(0, 1).await.unwrap();
    assert_eq!((friend.chain.len(), friend.trusts_me.len()), (1, 1));
    cluster.up(1).await;
    cluster.until_friends(0, 1).await;
    assert_eq!(cluster.peers[0].files("trusted"), before, "nothing new was said");
    // The key that was revoked is still known.
    cluster.command(0, Command::ApproveKnown(cluster.peers[2].fingerprint)).await.unwrap();
    cluster.up(2).await;
    cluster.until_friends(0, 2).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn commands_that_make_no_sense_are_refused_in_words() {
    let cluster = Cluster::start(1).await;
    let own = cluster.command(0, Command::Approve(cluster.peers[0].key)).await.unwrap_err();
    assert!(own.to_string().contains("is this machine's own key"), "{own}");
    let unknown = flotilla_messages::Fingerprint([7; 32]);
    let unknown = cluster.command(0, Command::ApproveKnown(unknown)).await.unwrap_err();
    assert!(matches!(unknown, CommandError::Unknown(_)));
    // The identity point, for which anybody can sign.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(cluster.command(0, Command::Approve(weak)).await.is_err());
    assert_eq!(cluster.peers[0].files("trusted").len(), 2, "its own key and statement");
    cluster.end().await;
}

#[actix_rt::test]
async fn a_disk_that_takes_no_statement_is_told_until_it_does() {
    let mut cluster = Cluster::new(2);
    let own = cluster.peers[0].fingerprint;
    let file = cluster.peers[0].home().path().join(format!("trusted/{own}.statement"));
    std::fs::create_dir(&file).unwrap();
    cluster.up(0).await;
    let standings = cluster.shown(0).await.standings;
    assert!(standings.trouble.unwrap().contains(&own.to_string()));
    assert_eq!(standings.statement, None, "what is not on disk is not said");
    let unsaved = cluster.command(0, Command::Approve(cluster.peers[1].key)).await.unwrap_err();
    assert!(unsaved.to_string().contains("holds only until peerd ends"), "{unsaved}");
    std::fs::remove_dir(&file).unwrap();
    // The next statement takes the place of the one that was not written.
    cluster.revoke(0, 1).await;
    let standings = cluster.shown(0).await.standings;
    assert!(standings.trouble.is_none() && standings.statement.is_some(), "{standings:#?}");
    assert!(file.is_file());
    cluster.end().await;
}
