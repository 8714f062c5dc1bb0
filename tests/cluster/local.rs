//! The Local port: what this host's own runners and commands ask.

use flotilla_actors::daemon::DaemonEvent;
use flotilla_actors::run::daemon_client::{AskError, Client, ConnectError};

use flotilla_messages::port::local::{
    Answer, Consequence, LONGEST_TEXT, LocalMessage, MOST_DURATIONS, PEERS_A_PAGE, Question, TestDuration,
};

use crate::harness::{Cluster, Polls, linked};
use crate::visitor::{Visitor, name, stranger};

#[actix_rt::test]
async fn another_identity_is_refused_and_nothing_is_written() {
    let cluster = Cluster::start(2).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    // A friend's statement may still be on its way to the disk.
    let mut polls = Polls::new();
    let before = loop {
        let files = cluster.peers[0].files("trusted");
        let known = |name: &String| name.ends_with(".statement") || name.ends_with(".pem");
        let statements = files.keys().filter(|name| name.ends_with(".statement")).count();
        if statements == 2 && files.keys().all(known) {
            break files;
        }
        assert!(polls.next().await, "not both statements are kept");
    };
    let local = cluster.daemon(0).addresses().local;
    let refused = Client::connect(local, &cluster.peers[1].identity()).await.err().unwrap();
    assert!(matches!(refused, ConnectError::OtherIdentity { .. }), "{refused}");
    // One that does not mind who answers, and is trusted as a peer.
    let friend = cluster.peers[1].identity();
    let mut visitor =
        Visitor::<LocalMessage>::call(friend.signing_key(), cluster.peers[0].fingerprint, local);
    let end = visitor.end().await.to_string();
    assert!(end.contains("the peer does not trust our key"), "{end}");
    assert_eq!(cluster.peers[0].files("trusted"), before);
    let overview = cluster.client(0).await.overview().await.unwrap();
    assert!(overview.ports[0].name == "Local" && overview.ports[0].refused >= 1);
    cluster.end().await;
    let nobody = Client::connect(local, &friend).await.err().unwrap();
    assert!(matches!(nobody, ConnectError::Nobody { .. }), "{nobody}");
}

#[actix_rt::test]
async fn the_own_key_sees_the_daemon_and_all_peers_over_several_pages() {
    let cluster = Cluster::start(1).await;
    let mut client = cluster.client(0).await;
    let keys: Vec<_> = (1..=PEERS_A_PAGE as u8 + 6).map(stranger).collect();
    for key in &keys {
        let question = Question::Approve { key: key.verifying_key().to_bytes() };
        let Answer::Trust { changed, key: named, follows } = client.ask(question).await.unwrap() else {
            panic!("another answer")
        };
        assert_eq!((changed, named, follows.len()), (true, name(key), 0));
    }
    let overview = client.overview().await.unwrap();
    let addresses = cluster.daemon(0).addresses();
    assert_eq!((overview.fingerprint, overview.jobs), (cluster.peers[0].fingerprint, 2));
    assert_eq!((overview.trusted, overview.pid), (u32::try_from(keys.len()).unwrap(), std::process::id()));
    let ports: Vec<_> = overview.ports.iter().map(|port| (&*port.name, port.address.clone())).collect();
    let expected = [("Local", addresses.local), ("Work", addresses.work), ("Status", addresses.status)];
    assert_eq!(ports, expected.map(|(name, address)| (name, address.to_string())));
    assert_eq!(overview.discovery.unwrap().port, addresses.discovery.unwrap());
    assert!(overview.statement.is_some(), "{overview:#?}");
    // How far the tests of others are confined depends on the kernel; elsewise there is nothing to warn of.
    let of_kernel: Vec<_> = flotilla_actors::execution::confine::extent().warning().into_iter().collect();
    assert_eq!(overview.warnings, of_kernel);
    let Answer::Peers { page, more } = client.ask(Question::Peers { after: None }).await.unwrap() else {
        panic!("another answer")
    };
    assert_eq!((page.len(), more), (PEERS_A_PAGE, true));
    let mut names: Vec<_> = keys.iter().map(name).collect();
    names.sort();
    let seen: Vec<_> = client.peers().await.unwrap().into_iter().map(|peer| peer.fingerprint).collect();
    assert_eq!(seen, names);
    cluster.end().await;
}

#[actix_rt::test]
async fn approvals_and_revocations_tell_what_follows_for_others() {
    let cluster = Cluster::start(3).await;
    cluster.befriend(0, 1).await;
    cluster.befriend(1, 2).await;
    cluster.until_friends(0, 2).await;
    let [_, middle, far] = [0, 1, 2].map(|number| cluster.peers[number].fingerprint);
    let mut client = cluster.client(0).await;
    let Answer::Trust { changed, follows, .. } = client.ask(Question::Revoke { key: middle }).await.unwrap()
    else {
        panic!("another answer")
    };
    let [Consequence { key, lost: Some(why) }] = &follows[..] else { panic!("{follows:?}") };
    assert_eq!((changed, *key), (true, far));
    assert!(why.contains("approved neither here nor by a trusted key"), "{why}");
    cluster.until("closed", 0, 2, |view| !linked(view)).await;
    let known = Question::ApproveKnown { key: middle };
    let Answer::Trust { changed, follows, .. } = client.ask(known.clone()).await.unwrap() else {
        panic!("another answer")
    };
    assert_eq!((changed, follows), (true, vec![Consequence { key: far, lost: None }]));
    cluster.until_friends(0, 2).await;
    let Answer::Trust { changed, .. } = client.ask(known).await.unwrap() else { panic!("another answer") };
    assert!(!changed, "approved already");
    let unknown = Question::ApproveKnown { key: name(&stranger(1)) };
    let refused = client.ask(unknown).await.unwrap_err();
    assert!(matches!(&refused, AskError::Refused(why) if why.contains("is not known here")), "{refused}");
    // A refusal is an answer like others.
    client.overview().await.unwrap();
    cluster.end().await;
}

#[actix_rt::test]
async fn durations_are_kept_and_given_back_and_too_many_are_refused() {
    let cluster = Cluster::start(1).await;
    let mut client = cluster.client(0).await;
    let tests: Vec<_> = (0..10).map(|test| TestDuration { test, millis: 5 }).collect();
    let inform = |configuration: String, tests| Question::InformDurations { configuration, tests };
    let done = client.ask(inform("x64.release".to_owned(), tests.clone())).await.unwrap();
    assert_eq!(done, Answer::Done);
    // Another runner asks.
    let mut other = cluster.client(0).await;
    let asked = Question::Durations { configuration: "x64.release".to_owned(), after: Some(3) };
    let page = tests[4..].to_vec();
    assert_eq!(other.ask(asked).await.unwrap(), Answer::Durations { page, more: false });
    let many = vec![TestDuration { test: 1, millis: 1 }; MOST_DURATIONS + 1];
    for (configuration, tests) in [("x".repeat(LONGEST_TEXT + 1), tests), ("x".to_owned(), many)] {
        let refused = client.ask(inform(configuration, tests)).await.unwrap_err();
        assert!(matches!(refused, AskError::Refused(_)), "{refused}");
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn durations_outlive_the_daemon_and_a_damaged_file_does_not_stop_it() {
    let mut cluster = Cluster::start(1).await;
    let file = cluster.peers[0].home().path().join("data/durations.sqlite");
    let tests: Vec<_> = (0..3000).map(|test| TestDuration { test, millis: 5 }).collect();
    assert!(!file.exists(), "nothing was told");
    let mut client = cluster.client(0).await;
    let inform = Question::InformDurations { configuration: "c".to_owned(), tests: tests.clone() };
    assert_eq!(client.ask(inform.clone()).await.unwrap(), Answer::Done);
    client.close().await;
    for round in 0..2 {
        cluster.down(0).await;
        if round == 1 {
            // Else what it holds would be whole.
            std::fs::remove_file(file.with_file_name("durations.sqlite-wal")).unwrap();
            std::fs::write(&file, "no database".repeat(1000)).unwrap();
        }
        cluster.up(0).await;
        let mut client = cluster.client(0).await;
        if round == 0 {
            // It is read while the daemon answers already.
            let mut polls = Polls::new();
            while client.durations("c").await.unwrap() != tests {
                assert!(polls.next().await, "durations are not known again");
            }
        } else {
            assert_eq!(client.durations("c").await.unwrap(), []);
            assert_eq!(client.ask(inform.clone()).await.unwrap(), Answer::Done);
        }
        client.close().await;
    }
    cluster.down(0).await;
    assert!(file.with_file_name("durations.sqlite.damaged-1").exists());
    assert_ne!(std::fs::read(&file).unwrap()[..11], *b"no database");
    cluster.end().await;
}

#[actix_rt::test]
async fn claimed_slots_come_back_when_their_runner_goes() {
    let cluster = Cluster::start(2).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    let (mut first, mut second) = (cluster.client(0).await, cluster.client(0).await);
    let claim = |slots| Question::ClaimSlots { slots };
    assert_eq!(first.ask(claim(1)).await.unwrap(), Answer::Slots { granted: 1, of: 2 });
    assert_eq!(second.ask(claim(5)).await.unwrap(), Answer::Slots { granted: 1, of: 2 });
    assert_eq!(second.overview().await.unwrap().load.claimed, 2);
    let claimed = |slots| {
        move |load: Option<flotilla_messages::port::status::Load>| {
            load.is_some_and(|load| load.claimed == slots)
        }
    };
    cluster.until("told to others", 1, 0, |view| claimed(2)(view.load)).await;
    drop(first);
    cluster.until("given back", 1, 0, |view| claimed(1)(view.load)).await;
    assert_eq!(second.ask(claim(5)).await.unwrap(), Answer::Slots { granted: 2, of: 2 });
    assert_eq!(second.ask(claim(0)).await.unwrap(), Answer::Slots { granted: 0, of: 2 });
    cluster.end().await;
}

#[actix_rt::test]
async fn what_runners_say_of_a_peer_is_shown_and_looked_into() {
    let cluster = Cluster::start(2).await;
    cluster.befriend(0, 1).await;
    cluster.until_friends(0, 1).await;
    let peer = cluster.peers[1].fingerprint;
    let mut client = cluster.client(0).await;
    let fast = Question::UpdatePerformance { peer, permille: 1500 };
    assert_eq!(client.ask(fast).await.unwrap(), Answer::Done);
    cluster.until("fast", 0, 1, |view| view.performance == Some(1500)).await;
    let reason = "no results for a minute".to_owned();
    assert_eq!(client.ask(Question::Unresponsive { peer, reason }).await.unwrap(), Answer::Done);
    cluster.until("doubted", 0, 1, |view| !linked(view)).await;
    cluster.until_friends(0, 1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_shutdown_is_told_to_whoever_runs_the_daemon() {
    let mut cluster = Cluster::start(1).await;
    let mut client = cluster.client(0).await;
    assert_eq!(client.ask(Question::Shutdown).await.unwrap(), Answer::Done);
    let daemon = cluster.peers[0].daemon.as_mut().unwrap();
    assert_eq!(daemon.ended().await, DaemonEvent::Asked);
    cluster.down(0).await;
    let mut polls = Polls::new();
    loop {
        match client.overview().await {
            Err(AskError::Gone(why)) => {
                assert!(why.contains("the test says so") || why.contains("its link has ended"), "{why}");
                break;
            }
            other => assert!(polls.next().await, "{other:?}"),
        }
    }
}
