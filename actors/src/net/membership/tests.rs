//! What the core does, one situation a test; then properties over any sequence of inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::{Datagram, DatagramKind, Fingerprint, Presence};
use proptest::prelude::*;

use super::core::interval;
use super::*;

/// The fingerprint of the `n`th peer. The core never looks at keys.
fn name(n: u16) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    Fingerprint(bytes)
}

const OWN: u16 = u16::MAX;

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n], 9993))
}

fn presence(boot: u64, sequence: u64) -> Presence {
    Presence {
        boot,
        sequence,
        interval: 5,
        protocol: (1, 1),
        work_port: 9992,
        status_port: 9994,
        unicast_port: 40_000,
        jobs: 4,
        serial: 0,
    }
}

fn heard_as(n: u16, kind: DatagramKind, presence: Presence, from: SocketAddr, way: Way) -> Input {
    let datagram = Datagram { issuer: [0; 32], fingerprint: name(n), kind, presence };
    Input::Heard { datagram, from, way }
}

fn announce(n: u16, boot: u64, sequence: u64, from: u8) -> Input {
    heard_as(n, DatagramKind::Announce, presence(boot, sequence), address(from), Way::Group)
}

fn goodbye(n: u16, boot: u64, sequence: u64) -> Input {
    heard_as(n, DatagramKind::Goodbye, presence(boot, sequence), address(1), Way::Group)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Host(Core);

impl Host {
    fn new(capacity: usize) -> Self {
        Self::with_static_peers(capacity, Vec::new())
    }

    fn with_static_peers(capacity: usize, static_peers: Vec<SocketAddr>) -> Self {
        let settings = Settings { own: name(OWN), static_peers, capacity };
        Self(Core::new(settings, Duration::ZERO, fastrand::Rng::with_seed(7)))
    }

    fn at(&mut self, now: Duration, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.0.handle(now, input, &mut effects);
        effects
    }

    /// Lets time pass to `until`, as the actor does.
    fn pass(&mut self, until: Duration) -> Vec<(Duration, Effect)> {
        let mut all = Vec::new();
        while let Some(wake) = self.0.wakes_at()
            && wake <= until
        {
            all.extend(self.at(wake, Input::Tick).into_iter().map(|effect| (wake, effect)));
        }
        all
    }
}

fn dials(effects: &[Effect]) -> Vec<Fingerprint> {
    let dial = |effect: &Effect| if let Effect::Dial(peer) = effect { Some(peer.fingerprint) } else { None };
    effects.iter().filter_map(dial).collect()
}

fn updates(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Updated(_))).count()
}

fn replies<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> Vec<SocketAddr> {
    let reply = |effect: &Effect| match effect {
        Effect::Send { to: Destination::One(to), kind: DatagramKind::Reply, .. } => Some(*to),
        _ => None,
    };
    effects.into_iter().filter_map(reply).collect()
}

#[test]
fn the_interval_grows_with_the_group_within_limits() {
    assert_eq!([1, 16, 17, 30, 100, 999, 1000, 100_000].map(interval), [5, 5, 6, 9, 30, 300, 300, 300]);
}

#[test]
fn a_newcomer_is_dialled_and_answered_once() {
    let mut host = Host::new(8);
    host.pass(seconds(1));
    let effects = host.at(seconds(1), announce(1, 1, 1, 1));
    assert_eq!((dials(&effects), updates(&effects)), (vec![name(1)], 1));
    // Asked again at once by the next announcement: neither dialled nor answered twice.
    let effects = host.at(seconds(1), announce(1, 1, 2, 1));
    assert_eq!((dials(&effects), updates(&effects)), (vec![], 0));
    let later: Vec<Effect> = host.pass(seconds(2)).into_iter().map(|(_, effect)| effect).collect();
    assert_eq!(replies(&later), [SocketAddr::from(([10, 0, 0, 1], 40_000))]);
}

#[test]
fn a_replay_changes_nothing_whatever_its_address() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 5, 9, 1));
    let before = host.0.peer(name(1)).unwrap();
    for (boot, sequence) in [(5, 8), (4, 100), (5, 0)] {
        assert_eq!(host.at(seconds(2), announce(1, boot, sequence, 66)), []);
        assert_eq!(host.at(seconds(2), goodbye(1, boot, sequence)), []);
    }
    assert_eq!(host.0.peer(name(1)).unwrap(), before);
    assert_eq!(host.0.counters().replayed, 6);
}

#[test]
fn who_said_goodbye_does_not_return_by_a_replay_but_by_a_restart() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 5, 1, 1));
    let effects = host.at(seconds(2), goodbye(1, 5, 2));
    assert_eq!(effects, [Effect::Gone { fingerprint: name(1), why: Why::Goodbye }]);
    for sequence in [1, 2] {
        assert_eq!(host.at(seconds(3), announce(1, 5, sequence, 1)), []);
    }
    assert_eq!(host.0.count(), 0);
    host.at(seconds(3), Input::DialFailed { fingerprint: name(1), hopeless: false });
    let effects = host.at(seconds(4), announce(1, 6, 1, 2));
    assert_eq!((dials(&effects), host.0.count()), (vec![name(1)], 1));
}

#[test]
fn three_missed_announcements_and_a_peer_is_gone() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 1, 1, 1));
    host.at(seconds(1), Input::DialFailed { fingerprint: name(1), hopeless: true });
    let effects = host.pass(seconds(60));
    let gone = (seconds(16), Effect::Gone { fingerprint: name(1), why: Why::Silent });
    assert!(effects.contains(&gone));
    assert_eq!(host.0.count(), 0);
    // It is remembered for ten minutes, to know its replays, and then forgotten.
    assert_eq!(host.0.remembered(), 1);
    host.pass(seconds(700));
    assert_eq!(host.0.remembered(), 0);
}

#[test]
fn a_link_outlives_silence_and_its_end_is_the_peers_end() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 1, 1, 1));
    host.at(seconds(1), Input::Linked(name(1)));
    host.pass(seconds(100));
    assert_eq!(host.0.peer(name(1)).unwrap().contact, Contact::Linked);
    let effects = host.at(seconds(100), Input::LinkLost(name(1)));
    assert_eq!(effects, [Effect::Gone { fingerprint: name(1), why: Why::Silent }]);
}

#[test]
fn a_lost_link_to_a_peer_that_is_heard_is_dialled_again() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 1, 1, 1));
    host.at(seconds(1), Input::Linked(name(1)));
    assert_eq!(dials(&host.at(seconds(2), Input::LinkLost(name(1)))), []);
    let again: Vec<_> = host.pass(seconds(4)).into_iter().map(|(_, effect)| effect).collect();
    assert_eq!(dials(&again), [name(1)]);
}

#[test]
fn failed_dials_wait_longer_and_longer() {
    let mut host = Host::new(8);
    let mut times = Vec::new();
    let mut sequence = 0;
    for second in 0..600 {
        let mut effects = host.pass(seconds(second));
        if second % 5 == 0 {
            sequence += 1;
            let heard = host.at(seconds(second), announce(1, 1, sequence, 1));
            effects.extend(heard.into_iter().map(|effect| (seconds(second), effect)));
        }
        if effects.iter().any(|(_, effect)| matches!(effect, Effect::Dial(_))) {
            times.push(second);
            host.at(seconds(second), Input::DialFailed { fingerprint: name(1), hopeless: false });
        }
    }
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.is_sorted() && (5..9).contains(&gaps.len()), "{gaps:?}");
    assert!(gaps[0] <= 6 && gaps[gaps.len() - 1] >= 100, "{gaps:?}");
}

#[test]
fn a_peer_that_changes_is_never_stale() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 1, 1, 1));
    host.at(seconds(1), Input::DialFailed { fingerprint: name(1), hopeless: true });
    // Jobs and statement: told, not dialled.
    let more = Presence { jobs: 9, serial: 2, ..presence(1, 2) };
    let effects = host.at(seconds(2), heard_as(1, DatagramKind::Announce, more, address(1), Way::Group));
    assert_eq!((updates(&effects), dials(&effects)), (1, vec![]));
    let peer = host.0.peer(name(1)).unwrap();
    assert_eq!((peer.presence.jobs, peer.presence.serial), (9, 2));
    // A new address comes first, and is a reason to dial in spite of failures.
    let effects = host.at(seconds(3), announce(1, 1, 3, 2));
    assert_eq!(dials(&effects), [name(1)]);
    let peer = host.0.peer(name(1)).unwrap();
    assert_eq!(peer.status_addresses().next(), Some(SocketAddr::from(([10, 0, 0, 2], 9994))));
    host.at(seconds(3), Input::DialFailed { fingerprint: name(1), hopeless: true });
    // So is a new port, and a restart, which ends all that was known of addresses.
    let moved = Presence { status_port: 1, ..presence(1, 4) };
    let effects = host.at(seconds(4), heard_as(1, DatagramKind::Announce, moved, address(2), Way::Group));
    assert_eq!(dials(&effects), [name(1)]);
    host.at(seconds(4), Input::DialFailed { fingerprint: name(1), hopeless: true });
    assert_eq!(dials(&host.at(seconds(5), announce(1, 2, 1, 3))), [name(1)]);
    let restarted = host.0.peer(name(1)).unwrap();
    assert_eq!(restarted.addresses, [SocketAddr::from(([10, 0, 0, 3], 0))]);
    assert_eq!(restarted.presence.jobs, 4);
}

#[test]
fn an_address_not_heard_from_is_dropped_and_a_copy_of_a_datagram_never_comes_first() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 1, 1, 1));
    // The same datagram from elsewhere, sent again by somebody or by the same host's other interface.
    let effects = host.at(seconds(1), announce(1, 1, 1, 66));
    assert_eq!((updates(&effects), dials(&effects)), (1, vec![]));
    let hosts = |host: &Host| host.0.peer(name(1)).unwrap().addresses;
    assert_eq!(hosts(&host), [address(1), address(66)].map(peer::host));
    for copy in 70..90 {
        host.at(seconds(1), announce(1, 1, 1, copy));
    }
    assert_eq!(hosts(&host).len(), 4);
    assert_eq!(hosts(&host)[0], peer::host(address(1)));
    for step in 0..4 {
        host.at(seconds(5 + 5 * step), announce(1, 1, 2 + step, 1));
    }
    assert_eq!(hosts(&host), [peer::host(address(1))]);
}

#[test]
fn another_key_at_a_known_address_is_another_peer_and_does_not_disturb_the_first() {
    let mut host = Host::new(8);
    host.at(seconds(1), announce(1, 1, 1, 1));
    host.at(seconds(1), Input::Linked(name(1)));
    let before = host.0.peer(name(1)).unwrap();
    let effects = host.at(seconds(2), announce(2, 9, 9, 1));
    assert_eq!(dials(&effects), [name(2)]);
    // The dial found the first one's key there.
    host.at(seconds(2), Input::DialFailed { fingerprint: name(2), hopeless: true });
    assert_eq!(dials(&host.at(seconds(7), announce(2, 9, 10, 1))), []);
    assert_eq!(host.0.peer(name(1)).unwrap(), before);
    assert!(matches!(host.0.peer(name(2)).unwrap().contact, Contact::Failed { .. }));
}

#[test]
fn several_peers_on_one_host_are_several_peers() {
    let mut host = Host::new(8);
    host.pass(seconds(1));
    for n in 1..=3 {
        let ports = Presence { status_port: 9000 + n, unicast_port: 9100 + n, ..presence(1, 1) };
        host.at(seconds(1), heard_as(n, DatagramKind::Announce, ports, address(1), Way::Group));
    }
    let ports: Vec<u16> = host.0.peers().map(|peer| peer.status_addresses().next().unwrap().port()).collect();
    assert_eq!(ports, [9001, 9002, 9003]);
    let effects = host.pass(seconds(3));
    let mut to = replies(effects.iter().map(|(_, effect)| effect));
    to.sort();
    assert_eq!(to, [9101, 9102, 9103].map(|port| SocketAddr::from(([10, 0, 0, 1], port))));
}

#[test]
fn own_datagrams_are_ignored() {
    let mut host = Host::new(8);
    assert_eq!(host.at(Duration::ZERO, announce(OWN, 1, 1, 1)), []);
    assert_eq!((host.0.remembered(), host.0.counters().own), (0, 1));
}

#[test]
fn above_twenty_peers_only_direct_announcements_are_answered() {
    let mut host = Host::new(100);
    host.pass(seconds(1));
    for n in 0..50 {
        host.at(seconds(1), announce(n, 1, 1, 1));
    }
    let answered = |host: &mut Host, until| {
        let effects = host.pass(seconds(until));
        replies(effects.iter().map(|(_, effect)| effect)).len()
    };
    assert_eq!(answered(&mut host, 3), 0);
    host.at(seconds(3), heard_as(60, DatagramKind::Announce, presence(1, 1), address(9), Way::Direct));
    assert_eq!(answered(&mut host, 4), 1);
    // And again when it asks again, but not in a flood.
    for sequence in 2..100 {
        host.at(
            seconds(4),
            heard_as(60, DatagramKind::Announce, presence(1, sequence), address(9), Way::Direct),
        );
    }
    assert_eq!(answered(&mut host, 5), 0);
    host.at(seconds(8), heard_as(60, DatagramKind::Announce, presence(1, 100), address(9), Way::Direct));
    assert_eq!(answered(&mut host, 9), 1);
}

#[test]
fn replies_and_goodbyes_are_never_answered() {
    let mut host = Host::new(100);
    host.at(seconds(1), heard_as(1, DatagramKind::Reply, presence(1, 1), address(1), Way::Direct));
    host.at(seconds(1), heard_as(2, DatagramKind::Goodbye, presence(1, 1), address(1), Way::Direct));
    let effects = host.pass(seconds(10));
    assert_eq!(replies(effects.iter().map(|(_, effect)| effect)), []);
    assert_eq!(host.0.remembered(), 1);
}

#[test]
fn a_flood_of_identities_is_bounded_and_leaves_proven_peers_alone() {
    let mut host = Host::new(64);
    host.pass(seconds(1));
    host.at(seconds(1), announce(0, 1, 1, 1));
    host.at(seconds(1), Input::Linked(name(0)));
    let mut dialled = 0;
    let mut crowded = Vec::new();
    for n in 1..5000 {
        let now = seconds(2) + Duration::from_micros(u64::from(n));
        for effect in host.at(now, announce(n, 1, 1, 7)) {
            match effect {
                Effect::Dial(_) => dialled += 1,
                Effect::Gone { fingerprint, why: Why::Crowded } => crowded.push(fingerprint),
                _ => {}
            }
        }
        assert!(host.0.remembered() <= 64);
    }
    assert_eq!(dialled, 16);
    assert!(host.0.peer(name(0)).is_some());
    // The one that was silent longest goes first; those being dialled have their answer first.
    assert!(crowded.is_sorted());
    // Replies too are bounded.
    let effects = host.pass(seconds(4));
    assert!(replies(effects.iter().map(|(_, effect)| effect)).len() <= 20);
}

#[test]
fn where_all_are_proven_a_newcomer_is_refused() {
    let mut host = Host::new(2);
    for n in 0..2 {
        host.at(seconds(1), announce(n, 1, 1, 1));
        host.at(seconds(1), Input::Linked(name(n)));
    }
    assert_eq!(host.at(seconds(1), announce(3, 1, 1, 1)), []);
    assert_eq!((host.0.count(), host.0.counters().refused), (2, 1));
}

#[test]
fn a_dial_that_ends_makes_room_for_the_next_and_known_keys_go_first() {
    let mut host = Host::new(100);
    host.at(seconds(1), announce(50, 1, 1, 1));
    host.at(seconds(1), Input::Linked(name(50)));
    for n in 0..20 {
        host.at(seconds(1), announce(n, 1, 1, 1));
    }
    host.at(seconds(2), Input::LinkLost(name(50)));
    host.pass(seconds(4));
    let next = host.at(seconds(4), Input::DialFailed { fingerprint: name(0), hopeless: false });
    assert_eq!(dials(&next), [name(50)]);
    let next = host.at(seconds(4), Input::Linked(name(1)));
    assert_eq!(dials(&next), [name(16)]);
}

#[test]
fn configured_peers_are_told_by_unicast_and_all_are_told_goodbye() {
    let far = SocketAddr::from(([192, 0, 2, 7], 9993));
    let mut host = Host::with_static_peers(8, vec![far]);
    let effects = host.pass(seconds(1));
    let kinds = |effects: &[Effect]| -> Vec<(Destination, DatagramKind)> {
        let sent = |effect: &Effect| match effect {
            Effect::Send { to, kind, .. } => Some((*to, *kind)),
            _ => None,
        };
        effects.iter().filter_map(sent).collect()
    };
    let first: Vec<Effect> = effects.into_iter().map(|(_, effect)| effect).collect();
    let everyone = Destination::Everyone { ipv6_too: false, broadcast_too: false };
    let expected = |kind| vec![(everyone, kind), (Destination::One(far), kind)];
    assert_eq!(kinds(&first), expected(DatagramKind::Announce));
    assert_eq!(kinds(&host.at(seconds(2), Input::Stop)), expected(DatagramKind::Goodbye));
    assert_eq!(host.at(seconds(2), Input::Stop), []);
    host.at(seconds(2), Input::OwnChanged);
    assert_eq!(host.pass(seconds(100)), []);
}

#[test]
fn news_of_this_host_are_announced_soon_but_not_in_a_flood() {
    let mut host = Host::new(8);
    host.pass(seconds(1));
    let mut announced = 0;
    for millisecond in 1000..4000 {
        announced += host.at(Duration::from_millis(millisecond), Input::OwnChanged).len();
    }
    assert!((3..=4).contains(&announced), "{announced}");
}

#[test]
fn other_ways_are_used_while_somebody_needs_them() {
    let mut host = Host::new(8);
    host.pass(seconds(1));
    let flags = |host: &mut Host, until| {
        let effects = host.pass(until);
        let mut flags = effects.into_iter().filter_map(|(_, effect)| match effect {
            Effect::Send { to: Destination::Everyone { ipv6_too, broadcast_too }, .. } => {
                Some((ipv6_too, broadcast_too))
            }
            _ => None,
        });
        flags.next_back()
    };
    host.at(seconds(1), announce(1, 1, 1, 1));
    assert_eq!(flags(&mut host, seconds(6)), Some((false, false)));
    host.at(seconds(6), heard_as(2, DatagramKind::Announce, presence(1, 1), address(2), Way::Broadcast));
    assert_eq!(flags(&mut host, seconds(11)), Some((false, true)));
    let v6 = "[fe80::1%2]:9993".parse().unwrap_or_else(|_| "[fe80::1]:9993".parse().unwrap());
    host.at(seconds(11), heard_as(3, DatagramKind::Announce, presence(1, 1), v6, Way::Group));
    assert_eq!(flags(&mut host, seconds(16)), Some((true, true)));
    assert_eq!(flags(&mut host, seconds(60)), Some((false, false)));
}

/// One step of a random history of a few peers.
fn step() -> impl Strategy<Value = (u64, Input)> {
    let peer = 0_u16..6;
    let kind = prop_oneof![
        6 => Just(DatagramKind::Announce), 2 => Just(DatagramKind::Reply), 1 => Just(DatagramKind::Goodbye),
    ];
    let way = prop_oneof![Just(Way::Group), Just(Way::Broadcast), Just(Way::Direct)];
    let heard = (peer.clone(), kind, 0_u64..3, 0_u64..12, 1_u8..8, way, 5_u16..30).prop_map(
        |(n, kind, boot, sequence, from, way, interval)| {
            heard_as(n, kind, Presence { interval, ..presence(boot, sequence) }, address(from), way)
        },
    );
    let input = prop_oneof![
        12 => heard,
        2 => peer.clone().prop_map(|n| Input::Linked(name(n))),
        2 => (peer.clone(), any::<bool>())
            .prop_map(|(n, hopeless)| Input::DialFailed { fingerprint: name(n), hopeless }),
        2 => peer.prop_map(|n| Input::LinkLost(name(n))),
        1 => Just(Input::OwnChanged),
        3 => Just(Input::Tick),
    ];
    (0_u64..4000, input)
}

proptest! {
    #[test]
    fn any_history_keeps_what_is_promised(
        steps in proptest::collection::vec(step(), 1..200),
        capacity in 1_usize..6,
    ) {
        let mut host = Host::new(capacity);
        let mut now = Duration::ZERO;
        let mut there = BTreeSet::new();
        let mut newest: BTreeMap<Fingerprint, (u64, u64)> = BTreeMap::new();
        let mut dialling = BTreeSet::new();
        let mut announcements = 0;
        let mut sent = 0;
        for (wait, input) in steps {
            now += Duration::from_millis(wait);
            announcements += usize::from(
                matches!(&input, Input::Heard { datagram, .. } if datagram.kind == DatagramKind::Announce),
            );
            if let Input::Linked(fingerprint) | Input::DialFailed { fingerprint, .. } = &input {
                dialling.remove(fingerprint);
            }
            let effects = host.at(now, input);
            sent += replies(&effects).len();
            for effect in &effects {
                match effect {
                    Effect::Updated(peer) => {
                        there.insert(peer.fingerprint);
                    }
                    Effect::Gone { fingerprint, .. } => {
                        prop_assert!(there.remove(fingerprint), "gone, and was not there");
                        newest.remove(fingerprint);
                    }
                    Effect::Dial(peer) => {
                        prop_assert!(there.contains(&peer.fingerprint));
                        prop_assert!(dialling.insert(peer.fingerprint), "dialled twice");
                    }
                    Effect::Send { .. } => {}
                }
            }
            // A listener to the effects knows who is there.
            prop_assert_eq!(&there, &host.0.peers().map(|peer| peer.fingerprint).collect::<BTreeSet<_>>());
            prop_assert_eq!(there.len(), host.0.count());
            prop_assert!(host.0.remembered() <= capacity);
            prop_assert!(sent <= announcements, "a reply that nobody asked for");
            for peer in host.0.peers() {
                let stamp = (peer.presence.boot, peer.presence.sequence);
                let newest = newest.entry(peer.fingerprint).or_insert(stamp);
                prop_assert!(*newest <= stamp, "went back to an older datagram");
                *newest = stamp;
                let silent = now - peer.last_heard;
                let patience = seconds(3 * u64::from(peer.presence.interval));
                prop_assert!(silent < patience || peer.contact == Contact::Linked, "stale");
                prop_assert!((1..=4).contains(&peer.addresses.len()));
            }
            prop_assert!(host.0.wakes_at().is_none_or(|wake| wake > now), "does not come to rest");
        }
    }
}
