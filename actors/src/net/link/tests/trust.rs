//! Which keys get links, and what for.

use flotilla_messages::wire::SUPPORTED_VERSIONS;

use super::support::{Peer, refusal, until};
use crate::net::link::{Allowance, Close, End, Link, Occupancy, Quotas, SendMessage};

#[actix_rt::test]
async fn two_that_trust_each_other_have_a_link_and_know_whose_it_is() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    a.dial(&listening);
    let (at_a, at_b) = (a.established().await, b.established().await);
    assert_eq!((at_a.peer, at_b.peer), (b.fingerprint, a.fingerprint));
    assert_eq!((at_a.key, at_b.key), (b.identity.verifying_key(), a.identity.verifying_key()));
    assert_eq!(at_a.hello, b.settings.hello);
    assert_eq!((at_a.version, at_b.allowance), (SUPPORTED_VERSIONS.newest, Allowance::Full));
    assert_eq!(at_a.exporter, at_b.exporter);
    assert_ne!(at_a.exporter, [0; 32]);
    at_a.link.send(SendMessage("there".to_owned())).await.unwrap().unwrap();
    at_b.link.send(SendMessage("back".to_owned())).await.unwrap().unwrap();
    assert_eq!((b.message().await, a.message().await), ("there".into(), "back".into()));
    at_a.link.send(SendMessage("last".to_owned())).await.unwrap().unwrap();
    at_a.link.send(Close { reason: "done".into() }).await.unwrap();
    assert_eq!(b.message().await, "last", "what was said before Bye arrives");
    assert_eq!(b.end().await, End::ByeByPeer("done".into()));
    assert_eq!(a.end().await, End::Closed("done".into()));
    until("the place is free", || listening.occupancy() == Occupancy::default()).await;
}

#[actix_rt::test]
async fn two_links_of_the_same_two_differ_in_their_exporter() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    a.dial(&listening);
    let first = b.established().await.exporter;
    a.established().await;
    a.dial(&listening);
    assert_ne!(b.established().await.exporter, first);
    a.established().await;
}

#[actix_rt::test]
async fn a_client_that_is_not_trusted_is_refused_and_told() {
    let (mut a, mut b) = Peer::pair();
    b.trusted.replace([]);
    let listening = b.listen().await;
    a.dial(&listening);
    assert_eq!(a.end().await, End::Insecure("the peer does not trust our key".into()));
    assert_eq!(refusal(&listening, 1).await, End::Insecure("the peer's key is not trusted".into()));
    assert!(b.has_heard_nothing());
}

#[actix_rt::test]
async fn a_server_that_is_not_trusted_is_not_talked_to() {
    let (mut a, mut b) = Peer::pair();
    a.trusted.remove(b.fingerprint);
    let listening = b.listen().await;
    a.dial(&listening);
    assert_eq!(a.end().await, End::Insecure("the peer's key is not trusted".into()));
    assert_eq!(refusal(&listening, 1).await, End::Insecure("the peer does not trust our key".into()));
    assert!(b.has_heard_nothing());
}

#[actix_rt::test]
async fn another_key_at_a_known_address_is_not_talked_to() {
    let (mut a, b) = Peer::pair();
    let expected = Peer::new(9).fingerprint;
    let listening = b.listen().await;
    a.dial_with(&listening, Some(expected), &a.open_tls());
    let end = a.end().await.to_string();
    assert!(end.contains(&expected.to_string()) && end.contains(&b.fingerprint.to_string()), "{end}");
}

#[actix_rt::test]
async fn trust_withdrawn_ends_a_link_before_its_next_message() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let link = a.dial(&listening);
    a.established().await;
    b.established().await;
    b.trusted.remove(a.fingerprint);
    link.send(SendMessage("please".to_owned())).await.unwrap().unwrap();
    assert_eq!(b.end().await, End::Closed("this key is not trusted any more".into()));
    assert_eq!(a.end().await, End::ByeByPeer("this key is not trusted any more".into()));
}

/// It lasted as long as heartbeats came.
#[actix_rt::test]
async fn trust_withdrawn_ends_a_link_over_which_nothing_is_said() {
    let (mut a, mut b) = Peer::pair();
    a.settings.timing.heartbeat = std::time::Duration::from_millis(50);
    let listening = b.listen().await;
    a.dial(&listening);
    a.established().await;
    b.established().await;
    b.trusted.remove(a.fingerprint);
    assert_eq!(b.end().await, End::Closed("this key is not trusted any more".into()));
    assert_eq!(a.end().await, End::ByeByPeer("this key is not trusted any more".into()));
}

/// It counted as a key that is refused, and its peer was left alone for minutes.
#[actix_rt::test]
async fn a_connection_that_ends_in_the_handshake_is_a_cut() {
    let mut a = Peer::new(1);
    let nobody = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = nobody.local_addr().unwrap();
    let settings = std::rc::Rc::new(a.settings.clone());
    let _link = Link::dial(1, at, None, &a.open_tls(), settings, a.owner.clone());
    drop(nobody.accept().await.unwrap());
    let end = a.end().await;
    assert!(matches!(&end, End::Cut(why) if why.contains("in the TLS handshake")), "{end}");
}

#[actix_rt::test]
async fn trust_withdrawn_does_not_leave_a_link_with_a_strangers_rights() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen_with(b.open_tls()).await;
    let link = a.dial(&listening);
    a.established().await;
    b.established().await;
    b.trusted.replace([]);
    link.send(SendMessage("please".to_owned())).await.unwrap().unwrap();
    assert!(matches!(b.end().await, End::Closed(_)));
}

#[actix_rt::test]
async fn a_stranger_may_say_one_thing() {
    let (mut a, mut b) = Peer::pair();
    b.trusted.replace([]);
    let listening = b.listen_with(b.open_tls()).await;
    let link = a.dial(&listening);
    a.established().await;
    assert_eq!(b.established().await.allowance, Allowance::OneMessage);
    link.send(SendMessage("I trust you now".to_owned())).await.unwrap().unwrap();
    assert_eq!(b.message().await, "I trust you now");
    link.send(SendMessage("and".to_owned())).await.unwrap().unwrap();
    assert!(matches!(b.end().await, End::Closed(_)));
    assert!(matches!(a.end().await, End::ByeByPeer(_)));
}

#[actix_rt::test]
async fn a_strangers_message_is_small() {
    let (mut a, mut b) = Peer::pair();
    b.trusted.replace([]);
    let listening = b.listen_with(b.open_tls()).await;
    let link = a.dial(&listening);
    a.established().await;
    b.established().await;
    link.send(SendMessage("x".repeat(5000))).await.unwrap().unwrap();
    assert!(matches!(b.end().await, End::Violated(_)));
    assert!(
        matches!(refusal(&listening, 1).await, End::Violated(_)),
        "strangers that misbehave are kept in mind"
    );
}

#[actix_rt::test]
async fn strangers_do_not_crowd_out_those_who_are_trusted() {
    let (mut a, mut b) = Peer::pair();
    b.quotas = Quotas { strangers: 2, ..Quotas::default() };
    let listening = b.listen_with(b.open_tls()).await;
    let mut refused = 0;
    for seed in 10..16 {
        let mut stranger = Peer::new(seed);
        stranger.dial_with(&listening, None, &stranger.open_tls());
        match stranger.event().await {
            crate::net::link::LinkEvent::Up(_) => {}
            crate::net::link::LinkEvent::Ended(End::RefusedByPeer { reason, .. }) => {
                assert!(reason.contains("not trusted"), "{reason}");
                refused += 1;
            }
            _ => panic!("neither up nor refused"),
        }
    }
    assert_eq!(refused, 4);
    a.dial(&listening);
    assert_eq!(a.established().await.peer, b.fingerprint);
    while b.established().await.peer != a.fingerprint {}
}

#[actix_rt::test]
async fn a_key_has_so_many_links_and_is_told_when_it_wants_more() {
    let (mut a, mut b) = Peer::pair();
    b.quotas = Quotas { per_key: 2, ..Quotas::default() };
    let listening = b.listen().await;
    a.dial(&listening);
    let first = a.established().await;
    a.dial(&listening);
    a.established().await;
    a.dial(&listening);
    let end = a.end().await;
    assert!(
        matches!(&end, End::RefusedByPeer { reason, .. } if reason == "this key has 2 links already"),
        "{end}"
    );
    let noted = refusal(&listening, 1).await;
    assert_eq!(noted, End::RefusedByUs { reason: "this key has 2 links already".into() });
    assert_eq!(listening.refusals()[0].peer, Some(a.fingerprint));
    first.link.send(Close { reason: "room".into() }).await.unwrap();
    assert!(matches!(a.end().await, End::Closed(_)));
    until("a place is free", || listening.occupancy().keyed == 1).await;
    a.dial(&listening);
    a.established().await;
}
