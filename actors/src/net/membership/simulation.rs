//! A whole group on a perfect network, to count what it costs.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::datagram::DATAGRAM_SIZE;
use flotilla_messages::{Datagram, Fingerprint, Presence};

use super::{Core, Destination, Effect, Input, Settings, Way};

/// IPv4 and UDP headers.
const HEADERS: usize = 28;
const ON_THE_WIRE: usize = DATAGRAM_SIZE + HEADERS;

struct Group {
    cores: Vec<Core>,
    sequences: Vec<u64>,
    /// When each is to be woken.
    wakes: BTreeSet<(Duration, usize)>,
    /// Bytes that each has sent and received since they were last asked for.
    sent: Vec<usize>,
    received: Vec<usize>,
}

fn name(n: usize) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
    Fingerprint(bytes)
}

/// Each has an address of its own; the last two bytes are its number.
fn address(n: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, (n >> 8) as u8, n as u8], 9993))
}

impl Group {
    fn new(size: usize) -> Self {
        let core = |n| {
            let settings = Settings { own: name(n), static_peers: Vec::new(), capacity: 4096 };
            Core::new(settings, Duration::ZERO, fastrand::Rng::with_seed(n as u64))
        };
        let cores: Vec<Core> = (0..size).map(core).collect();
        let wakes = cores.iter().enumerate().filter_map(|(n, core)| Some((core.wakes_at()?, n))).collect();
        let zeros = vec![0; size];
        Self { cores, sequences: vec![0; size], wakes, sent: zeros.clone(), received: zeros }
    }

    fn run(&mut self, until: Duration) {
        while let Some((now, n)) = self.wakes.first().copied()
            && now <= until
        {
            self.give(now, n, Input::Tick);
        }
    }

    fn give(&mut self, now: Duration, n: usize, input: Input) {
        let mut effects = Vec::new();
        let before = self.cores[n].wakes_at();
        self.cores[n].handle(now, input, &mut effects);
        let after = self.cores[n].wakes_at();
        if before != after {
            before.map(|wake| self.wakes.remove(&(wake, n)));
            after.map(|wake| self.wakes.insert((wake, n)));
        }
        for effect in effects {
            match effect {
                Effect::Dial(peer) => self.give(now, n, Input::Linked(peer.fingerprint)),
                Effect::Send { to, kind, interval } => {
                    self.sequences[n] += 1;
                    let presence = Presence {
                        boot: 1,
                        sequence: self.sequences[n],
                        interval,
                        protocol: (1, 1),
                        work_port: 1,
                        status_port: 2,
                        unicast_port: 9993,
                        jobs: 4,
                        serial: 0,
                    };
                    let datagram = Datagram { issuer: [0; 32], fingerprint: name(n), kind, presence };
                    self.sent[n] += ON_THE_WIRE;
                    let (to, way) = match to {
                        Destination::Everyone { .. } => ((0..self.cores.len()).collect(), Way::Group),
                        Destination::One(to) => (vec![number(to)], Way::Direct),
                    };
                    for receiver in to {
                        if receiver != n {
                            self.received[receiver] += ON_THE_WIRE;
                            self.give(now, receiver, Input::Heard { datagram, from: address(n), way });
                        }
                    }
                }
                Effect::Updated(_) | Effect::Gone { .. } => {}
            }
        }
    }

    /// The most that one peer has received and sent since the last call.
    fn take_most(&mut self) -> (usize, usize) {
        let most = |counts: &mut Vec<usize>| {
            let most = counts.iter().copied().max().unwrap_or(0);
            counts.fill(0);
            most
        };
        (most(&mut self.received), most(&mut self.sent))
    }
}

fn number(address: SocketAddr) -> usize {
    let SocketAddr::V4(v4) = address else { return 0 };
    let [_, _, high, low] = v4.ip().octets();
    usize::from(high) << 8 | usize::from(low)
}

#[test]
fn a_few_peers_know_one_another_within_two_seconds() {
    let mut group = Group::new(5);
    group.run(Duration::from_secs(2));
    assert!(group.cores.iter().all(|core| core.count() == 4));
    let (_, sent) = group.take_most();
    group.run(Duration::from_secs(62));
    let (received, sent_later) = group.take_most();
    println!("5 peers: {sent} bytes sent in 2 s, then {received} received and {sent_later} sent a minute");
}

/// `--nocapture` shows the numbers.
#[test]
#[ignore = "a long simulation: .ci/full"]
fn a_thousand_peers_cost_one_of_them_little() {
    cost_one_of_them_little(1000);
}

#[test]
fn two_hundred_peers_cost_one_of_them_little() {
    cost_one_of_them_little(200);
}

fn cost_one_of_them_little(size: usize) {
    let mut group = Group::new(size);
    group.run(Duration::from_secs(10));
    assert!(group.cores.iter().all(|core| core.count() == size - 1));
    let (received, sent) = group.take_most();
    println!("{size} peers that start at once, first 10 s: {received} bytes received, {sent} sent");
    let minutes = 5;
    group.run(Duration::from_secs(10 + 60 * minutes));
    let (received, sent) = group.take_most();
    let (received, sent) = (received / minutes as usize, sent / minutes as usize);
    println!("{size} peers, a minute: {received} bytes received, {sent} sent");
    assert!(group.cores.iter().all(|core| core.count() == size - 1));
    assert!(received <= 60_000 && sent <= 1_000);
}
