//! What `peerd status` and `peerd peers` print of daemons, whole.

use std::time::{Duration, SystemTime};

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{HeardView, LinkView, Overview, PeerView, PortView, RefusalView};
use flotilla_messages::port::status::Load;
use insta::assert_snapshot;

use crate::peerd::{peers, status};

/// 2023-11-14 22:13:20 UTC.
const NOW: u64 = 1_700_000_000;

fn key(number: u8) -> Fingerprint {
    Fingerprint([number; 32])
}

fn overview() -> Overview {
    let refusal = RefusalView {
        time: NOW - 90,
        address: "10.0.0.66:40000".into(),
        key: Some(key(66)),
        reason: "the key is not trusted".into(),
    };
    let port = |name: &str, address: &str, links| PortView {
        name: name.into(),
        address: address.into(),
        links,
        refused: 0,
        refusals: Vec::new(),
    };
    Overview {
        fingerprint: key(1),
        pid: 4711,
        software: "0.1.0".into(),
        platform: "linux x86_64".into(),
        since: NOW - 90_000,
        jobs: 8,
        load: Load { running: 3, claimed: 2, waiting: 1, average: Some(250) },
        ports: vec![
            port("Local", "127.0.0.1:4000", 1),
            PortView { refused: 1, refusals: vec![refusal], ..port("Work", "0.0.0.0:4001", 2) },
            port("Status", "0.0.0.0:4002", 0),
        ],
        discovery: Some(HeardView {
            port: 4003,
            good: 120,
            forged: 1,
            malformed: 2,
            dropped: 0,
            replayed: 3,
        }),
        statement: Some((12, NOW + 86_400)),
        trusted: 3,
        warnings: vec!["the clock was set back by 3 s".into()],
    }
}

/// A peer that can be used.
fn usable() -> PeerView {
    PeerView {
        fingerprint: key(2),
        address: Some("10.0.0.2:4001".into()),
        jobs: Some(4),
        platform: Some("linux aarch64".into()),
        software: Some("0.1.0".into()),
        load: Some(Load { running: 0, claimed: 0, waiting: 0, average: None }),
        chain: vec![key(2)],
        trusts_me: vec![key(3), key(1)],
        barred: false,
        heard: Some(2500),
        present: true,
        link: LinkView::Up { suspected: false },
        obstacle: None,
        performance: Some(1200),
    }
}

/// Peers of all kinds.
fn known() -> Vec<PeerView> {
    let unknown = PeerView {
        fingerprint: key(4),
        address: None,
        jobs: None,
        platform: None,
        software: None,
        load: None,
        chain: Vec::new(),
        trusts_me: Vec::new(),
        heard: None,
        present: false,
        link: LinkView::None,
        obstacle: Some("this machine does not trust it".into()),
        performance: None,
        ..usable()
    };
    vec![
        usable(),
        PeerView {
            fingerprint: key(3),
            chain: vec![key(2), key(3)],
            link: LinkView::Up { suspected: true },
            obstacle: Some("it is silent".into()),
            ..usable()
        },
        unknown.clone(),
        PeerView {
            fingerprint: key(5),
            barred: true,
            heard: Some(61_000),
            link: LinkView::Down { reason: "connection refused".into() },
            obstacle: Some("it was revoked here".into()),
            ..unknown
        },
    ]
}

#[test]
fn status_for_people() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    assert_snapshot!(status::text(&overview(), &known(), now));
}

#[test]
fn status_of_a_daemon_that_knows_nobody() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let quiet =
        Overview { discovery: None, statement: None, warnings: Vec::new(), ports: Vec::new(), ..overview() };
    assert_snapshot!(status::text(&quiet, &[], now));
}

#[test]
fn status_for_programs() {
    assert_snapshot!(status::json(&overview(), &known()).replace(",\"", ",\n\""));
}

#[test]
fn peers_for_people() {
    assert_snapshot!(peers::text(&known()));
}

#[test]
fn peers_for_programs() {
    assert_snapshot!(peers::json(&known()).replace(",\"", ",\n\""));
}
