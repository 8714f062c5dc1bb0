//! How links begin, go on and end.

use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Recipient, ResponseFuture};
use flotilla_messages::wire::{Greeting, Packet, SUPPORTED_VERSIONS, Versions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::support::{News, Peer, greet, raw, read, refusal, says, until, until_closed};
use crate::net::link::{
    ChangeOwner, Close, End, Link, LinkEvent, Occupancy, Quotas, SendMessage, SendMessageError,
};

#[actix_rt::test]
async fn versions_that_do_not_meet_are_refused_in_words_on_both_ends() {
    let (mut a, mut b) = Peer::pair();
    a.settings.hello.versions = Versions { oldest: 1, newest: 2 };
    b.settings.hello.versions = Versions { oldest: 3, newest: 5 };
    let listening = b.listen().await;
    a.dial(&listening);
    let here = a.end().await.to_string();
    assert!(here.contains("1 to 2 here, 3 to 5 at the peer"), "{here}");
    let there = refusal(&listening, 1).await.to_string();
    assert!(there.contains("3 to 5 here, 1 to 2 at the peer"), "{there}");
    assert!(b.has_heard_nothing());
}

#[actix_rt::test]
async fn a_peer_of_another_version_reads_the_refusal_after_the_hello() {
    let (a, mut b) = Peer::pair();
    b.settings.hello.versions = Versions { oldest: 3, newest: 5 };
    let listening = b.listen().await;
    let mut stream = raw(&a, &listening).await;
    greet(&mut stream).await;
    // It goes on talking, which is no reason to cut it off before it has read the refusal.
    stream.write_all(&[0; 50_000]).await.unwrap();
    let Greeting::Refused(refused) = read(&mut stream).await else { panic!("no refusal") };
    assert_eq!(refused.their_version, b.settings.hello.versions);
    assert_eq!(
        refused.reason,
        format!("protocol versions do not meet: 3 to 5 here, {SUPPORTED_VERSIONS} there")
    );
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "closed in order, not reset");
}

#[actix_rt::test]
async fn a_link_that_is_cut_did_not_say_bye() {
    let (a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let mut stream = raw(&a, &listening).await;
    greet(&mut stream).await;
    b.established().await;
    drop(stream);
    assert!(matches!(b.end().await, End::Cut(_)));

    let mut stream = raw(&a, &listening).await;
    greet(&mut stream).await;
    b.established().await;
    stream.shutdown().await.unwrap();
    assert_eq!(b.end().await, End::Cut("the connection ended without Bye".into()), "however gently");
}

#[actix_rt::test]
async fn a_link_that_changes_its_owner_tells_the_new_one_all_that_follows() {
    let (mut a, mut b) = Peer::pair();
    let mut heir = Peer::new(3);
    let listening = b.listen().await;
    let link = a.dial(&listening);
    a.established().await;
    let accepted = b.established().await.link;
    link.send(SendMessage("before".into())).await.unwrap().unwrap();
    assert_eq!(b.message().await, "before");
    accepted.send(ChangeOwner(heir.owner.clone())).await.unwrap();
    link.send(SendMessage("after".into())).await.unwrap().unwrap();
    assert_eq!(heir.message().await, "after");
    link.do_send(Close { reason: "done".into() });
    assert!(matches!(heir.end().await, End::ByeByPeer(_)));
    assert!(b.has_heard_nothing(), "the one before hears nothing more");
}

#[actix_rt::test]
async fn nobody_there_is_said_so() {
    let (mut a, b) = Peer::pair();
    let listening = b.listen().await;
    let address = listening.address();
    drop(listening);
    // The accept loop and its socket are gone when its task is.
    until("the port is free", || std::net::TcpListener::bind(address).is_ok()).await;
    Link::dial(1, address, None, &a.tls(), Rc::new(a.settings.clone()), a.owner.clone());
    assert!(matches!(a.end().await, End::Unreachable(_)));
}

#[actix_rt::test]
async fn heartbeats_keep_a_link_that_has_nothing_to_say() {
    tokio::time::pause();
    let (mut a, mut b) = Peer::pair();
    let (one, other) = duplex(1 << 16);
    a.link_over(one, &b);
    b.link_over(other, &a);
    a.established().await;
    b.established().await;
    tokio::time::advance(Duration::from_millis(1)).await;
    tokio::time::timeout(Duration::from_secs(3600), std::future::pending::<()>()).await.unwrap_err();
    assert!(a.has_heard_nothing() && b.has_heard_nothing());
}

#[actix_rt::test]
async fn a_silent_peer_is_suspected_recovers_and_is_lost() {
    tokio::time::pause();
    let (mut a, b) = Peer::pair();
    let (mut peer, stream) = duplex(1 << 16);
    a.link_over(stream, &b);
    greet(&mut peer).await;
    a.established().await;
    let start = tokio::time::Instant::now();
    assert!(matches!(a.event().await, LinkEvent::Suspected));
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(read::<Packet<String>>(&mut peer).await, Packet::Heartbeat);
    peer.write_all(&super::support::frame(&Packet::<String>::Heartbeat)).await.unwrap();
    assert!(matches!(a.event().await, LinkEvent::Recovered));
    assert!(matches!(a.event().await, LinkEvent::Suspected));
    assert!(matches!(a.end().await, End::Silent(silence) if silence.as_secs() == 10));
    assert_eq!(start.elapsed().as_secs(), 13);
    until_closed(&mut peer).await;
}

#[actix_rt::test]
async fn a_peer_that_does_not_read_is_closed_and_memory_stays_bounded() {
    tokio::time::pause();
    let (mut a, b) = Peer::pair();
    a.settings.outgoing = 100_000;
    let (mut peer, stream) = duplex(4096);
    let link = a.link_over(stream, &b);
    greet(&mut peer).await;
    a.established().await;
    // Not to be packed: it would take many to fill anything.
    let noise: String =
        (0..2000_u32).map(|i| char::from(33 + (i.wrapping_mul(2_654_435_761) >> 25) as u8 % 90)).collect();
    let mut said = 0;
    let error = loop {
        match link.send(SendMessage(noise.clone())).await.unwrap() {
            Ok(()) => said += 1,
            Err(error) => break error,
        }
        assert!(said < 1000, "it takes any amount");
    };
    assert!(matches!(error, SendMessageError::Crowded));
    assert!(said > 20, "{said}");
    assert!(matches!(a.end().await, End::Crowded(waiting) if (100_000..110_000).contains(&waiting)));
    until_closed(&mut peer).await;
}

/// Takes one message and never finishes.
struct Stuck;

impl Actor for Stuck {
    type Context = Context<Self>;
}

impl Handler<News> for Stuck {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, news: News, _: &mut Self::Context) -> Self::Result {
        match news.what {
            LinkEvent::Message(_) => Box::pin(std::future::pending()),
            _ => Box::pin(async {}),
        }
    }
}

#[actix_rt::test]
async fn a_link_is_read_no_faster_than_its_owner_goes() {
    tokio::time::pause();
    let (mut a, b) = Peer::pair();
    let owner: Recipient<News> = Stuck.start().recipient();
    a.owner = owner;
    let (mut peer, stream) = duplex(4096);
    a.link_over(stream, &b);
    greet(&mut peer).await;
    let (mut reader, mut writer) = tokio::io::split(peer);
    // The peer reads the heartbeats, which go on.
    actix_rt::spawn(async move { until_closed(&mut reader).await });
    let message = says(&"m".repeat(100));
    let mut written = 0;
    while let Ok(sent) = tokio::time::timeout(Duration::from_secs(15), writer.write_all(&message)).await {
        sent.expect("the link lives on");
        written += message.len();
        assert!(written < 1 << 20, "it is read on and on");
    }
}

#[actix_rt::test]
async fn nothing_can_be_said_before_the_link_is_up_nor_what_no_frame_holds() {
    let (mut a, b) = Peer::pair();
    let (mut peer, stream) = duplex(4096);
    let link = a.link_over(stream, &b);
    let early = link.send(SendMessage("too early".to_owned())).await.unwrap();
    assert!(matches!(early, Err(SendMessageError::NotUp)));
    greet(&mut peer).await;
    a.established().await;
    let large = link.send(SendMessage("x".repeat(17 << 20))).await.unwrap();
    assert!(matches!(large, Err(SendMessageError::Frame(_))));
    link.send(SendMessage("small".to_owned())).await.unwrap().unwrap();
    assert_eq!(
        read::<Packet<String>>(&mut peer).await,
        Packet::Message("small".to_owned()),
        "the link is none the worse"
    );
}

#[actix_rt::test]
async fn a_link_that_is_up_takes_no_half_open_place() {
    let (mut a, mut b) = Peer::pair();
    b.quotas = Quotas { half_open: 2, half_open_per_address: 1, ..Quotas::default() };
    let listening = b.listen().await;
    for up in 1..=4 {
        a.dial(&listening);
        a.established().await;
        b.established().await;
        assert_eq!(listening.occupancy(), Occupancy { half_open: 0, keyed: up, refused: 0 });
    }
}
