//! Cores joined by a simulated network in which anything may happen in any order.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::LinkView;
use flotilla_messages::port::status::{LARGEST_TO_STRANGERS, Load, StatusMessage};
use flotilla_messages::wire::Hello;
use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::core::{Core, Effect, Input};
use crate::net::link::{Allowance, End, LinkId};
use crate::trust::{Obstacle, TrustOrder};

const HOSTS: usize = 3;

pub(super) fn key(host: usize) -> Fingerprint {
    Fingerprint([u8::try_from(host).unwrap() + 1; 32])
}

fn host(key: Fingerprint) -> usize {
    usize::from(key.0[0]) - 1
}

/// Where a host listens; at an odd port nobody does.
pub(super) fn address(host: usize, reachable: bool) -> SocketAddr {
    let port = 1000 + 2 * u16::try_from(host).unwrap() + u16::from(!reachable);
    SocketAddr::from(([127, 0, 0, 1], port))
}

pub(super) fn statement(size: usize) -> ByteBuf {
    ByteBuf::from(vec![0; size])
}

pub(super) fn closed(reason: &str) -> End {
    End::Closed(reason.to_owned())
}

/// One end of a connection.
#[derive(Debug)]
struct Side {
    host: usize,
    id: LinkId,
    allowance: Allowance,
    /// Its link still reads and writes.
    open: bool,
    /// Its owner knows of it: was told that it is up, or dialled it.
    known: bool,
    /// A stranger has said what it may say.
    spoken: bool,
    /// Told to the owner, in this order.
    inbox: VecDeque<Input>,
    /// Sent by the other end and not arrived.
    wire: VecDeque<Wire>,
}

#[derive(Clone, Debug)]
enum Wire {
    Message(StatusMessage),
    Bye(String),
}

#[derive(Debug)]
struct Connection {
    /// Until both have said Hello.
    greeting: bool,
    /// Nobody listens there.
    nowhere: bool,
    /// The side that dialled first.
    sides: [Side; 2],
}

/// What one host's core said of another key, checked as it is said.
#[derive(Clone, Debug, Default)]
struct Said {
    up: bool,
    linked: bool,
    view: Option<LinkView>,
    /// A Dial is not answered yet.
    asked: bool,
}

struct Network {
    cores: Vec<Core>,
    trusts: [[bool; HOSTS]; HOSTS],
    connections: Vec<Connection>,
    said: [[Said; HOSTS]; HOSTS],
    /// Ended from here, as the core knows.
    closing: Vec<BTreeSet<LinkId>>,
    accepted: [u64; HOSTS],
}

impl Network {
    fn new(trusts: [[bool; HOSTS]; HOSTS]) -> Self {
        let mut network = Self {
            cores: (0..HOSTS).map(|host| Core::new(key(host))).collect(),
            trusts,
            connections: Vec::new(),
            said: Default::default(),
            closing: vec![BTreeSet::new(); HOSTS],
            accepted: [0; HOSTS],
        };
        for host in 0..HOSTS {
            network.input(host, Input::Order(TrustOrder::Own(statement(200))));
        }
        network
    }

    fn side(&mut self, host: usize, id: LinkId) -> Option<(usize, usize)> {
        let of = |connection: &Connection| {
            connection.sides.iter().position(|side| side.host == host && side.id == id)
        };
        let at = self.connections.iter().position(|connection| of(connection).is_some())?;
        Some((at, of(&self.connections[at])?))
    }

    fn input(&mut self, host: usize, input: Input) {
        let stranger_spoke = match &input {
            Input::Message { link, .. } => {
                let (at, side) = self.side(host, *link).unwrap();
                let is_stranger = self.connections[at].sides[side].allowance == Allowance::OneMessage;
                (is_stranger && !self.closing[host].contains(link)).then_some(*link)
            }
            _ => None,
        };
        if let Input::Ended { link, .. } = &input {
            self.closing[host].insert(*link);
        }
        let mut effects = Vec::new();
        self.cores[host].handle(input, &mut effects);
        for effect in effects {
            self.perform(host, effect);
        }
        if let Some(link) = stranger_spoke {
            assert!(self.closing[host].contains(&link), "a stranger's link outlives its message");
        }
    }

    fn perform(&mut self, from: usize, effect: Effect) {
        match effect {
            Effect::Connect { number, address, expected } => self.connect(from, number, address, expected),
            Effect::Send { link, message } => {
                assert!(!self.closing[from].contains(&link), "said over a link that closes: {message:?}");
                let (at, side) = self.side(from, link).unwrap();
                let [near, far] = self.sides(at, side);
                if near.open {
                    far.wire.push_back(Wire::Message(message));
                }
            }
            Effect::Close { link, reason } => {
                assert!(self.closing[from].insert(link), "closed twice");
                self.close(from, link, &reason);
            }
            Effect::LinkUp(key) => {
                let to = host(key);
                assert!(!std::mem::replace(&mut self.said[from][to].up, true), "up twice");
                if !self.trusts[from][to] {
                    self.input(from, close_order(to));
                }
            }
            Effect::LinkDown(key) => {
                assert!(std::mem::replace(&mut self.said[from][host(key)].up, false), "down before up");
            }
            Effect::Linked { key, .. } => {
                let said = &mut self.said[from][host(key)];
                (said.linked, said.asked) = (true, false);
            }
            Effect::Failed { key, .. } => self.said[from][host(key)].asked = false,
            Effect::Lost(key) => {
                assert!(
                    std::mem::replace(&mut self.said[from][host(key)].linked, false),
                    "lost before linked"
                );
            }
            Effect::Shown { key, view } => self.said[from][host(key)].view = Some(view),
            Effect::Statement { .. }
            | Effect::Listed { .. }
            | Effect::Wanted { .. }
            | Effect::Load { .. } => {}
        }
    }

    fn connect(&mut self, from: usize, number: u64, at: SocketAddr, expected: Fingerprint) {
        let to = host(expected);
        self.accepted[to] += 1;
        let side = |host, id, known| Side {
            host,
            id,
            allowance: Allowance::Full,
            open: true,
            known,
            spoken: false,
            inbox: VecDeque::new(),
            wire: VecDeque::new(),
        };
        self.connections.push(Connection {
            greeting: true,
            nowhere: at.port() % 2 == 1,
            sides: [
                side(from, LinkId::Dialled(number), true),
                side(to, LinkId::Accepted(self.accepted[to]), false),
            ],
        });
    }

    fn sides(&mut self, at: usize, near: usize) -> [&mut Side; 2] {
        let [first, second] = &mut self.connections[at].sides;
        if near == 0 { [first, second] } else { [second, first] }
    }

    /// A link closes by its own owner's wish.
    fn close(&mut self, host: usize, id: LinkId, reason: &str) {
        let (at, near) = self.side(host, id).unwrap();
        let greeting = std::mem::take(&mut self.connections[at].greeting);
        let [near, far] = self.sides(at, near);
        if !near.open {
            return;
        }
        end(near, closed(reason));
        if greeting {
            end(far, End::Cut("cut".to_owned()));
        } else {
            far.wire.push_back(Wire::Bye(reason.to_owned()));
        }
    }

    fn cut(&mut self, at: usize, near: usize) {
        self.connections[at].greeting = false;
        let side = &mut self.connections[at].sides[near];
        side.wire.clear();
        if side.open {
            end(side, End::Cut("cut".to_owned()));
        }
    }

    fn greet(&mut self, at: usize) {
        let trusts = self.trusts;
        let connection = &mut self.connections[at];
        if !std::mem::take(&mut connection.greeting) {
            return;
        }
        if connection.nowhere {
            end(&mut connection.sides[0], End::Unreachable("nobody is there".to_owned()));
            connection.sides[1].open = false;
            return;
        }
        let hosts = [connection.sides[0].host, connection.sides[1].host];
        for (side, other) in connection.sides.iter_mut().zip([hosts[1], hosts[0]]) {
            let allowance = if trusts[side.host][other] { Allowance::Full } else { Allowance::OneMessage };
            (side.allowance, side.known) = (allowance, true);
            side.inbox.push_back(Input::Up {
                link: side.id,
                key: key(other),
                address: address(other, true),
                hello: Hello::of_this_build(1),
                allowance,
            });
        }
    }

    /// What was sent first arrives.
    fn arrive(&mut self, at: usize, near: usize) {
        let [side, far] = self.sides(at, near);
        let Some(wire) = side.wire.pop_front().filter(|_| side.open) else { return };
        match wire {
            Wire::Bye(reason) => end(side, End::ByeByPeer(reason)),
            Wire::Message(_) if side.allowance == Allowance::OneMessage && side.spoken => {
                end(side, closed("one message is all"));
                far.wire.push_back(Wire::Bye("one message is all".to_owned()));
            }
            Wire::Message(message) => {
                side.spoken = true;
                side.inbox.push_back(Input::Message { link: side.id, message });
            }
        }
    }

    /// The owner hears what it was told first.
    fn hear(&mut self, at: usize, near: usize) {
        let side = &mut self.connections[at].sides[near];
        let host = side.host;
        if let Some(input) = side.inbox.pop_front() {
            self.input(host, input);
        }
    }

    fn dial(&mut self, from: usize, to: usize, reachable: bool) {
        // Like membership: one dial at a time, and only of a key that is trusted.
        if from == to || self.said[from][to].asked || !self.trusts[from][to] {
            return;
        }
        self.said[from][to].asked = true;
        let addresses =
            if reachable { vec![address(to, false), address(to, true)] } else { vec![address(to, false)] };
        self.input(from, Input::Dial { key: key(to), addresses });
    }

    fn set_trust(&mut self, from: usize, to: usize, trusts: bool) {
        if from != to && std::mem::replace(&mut self.trusts[from][to], trusts) && !trusts {
            self.input(from, close_order(to));
        }
    }

    fn step(&mut self, step: Step) {
        let pick = |at: usize| (!self.connections.is_empty()).then(|| at % self.connections.len());
        match step {
            Step::Dial(from, to, reachable) => self.dial(from, to, reachable),
            Step::Greet(at) => pick(at).into_iter().for_each(|at| self.greet(at)),
            Step::Arrive(at, side) => pick(at).into_iter().for_each(|at| self.arrive(at, side)),
            Step::Hear(at, side) => pick(at).into_iter().for_each(|at| self.hear(at, side)),
            Step::Cut(at, side) => pick(at).into_iter().for_each(|at| self.cut(at, side)),
            Step::Trust(from, to, trusts) => self.set_trust(from, to, trusts),
            Step::Doubt(from, to) => self.input(from, Input::Doubt(key(to))),
            Step::Own(from, large) => {
                let size = if large { LARGEST_TO_STRANGERS + 1 } else { 300 };
                self.input(from, Input::Order(TrustOrder::Own(statement(size))));
            }
            Step::Load(from, running) => {
                self.input(from, Input::OwnLoad(Load { running, ..Load::default() }));
            }
            Step::Introduce(from, to) => {
                let order = TrustOrder::Introduce { to: key(to), serials: vec![Vec::new()] };
                self.input(from, Input::Order(order));
            }
            Step::Suspect(at, side, suspected) => {
                if let Some(at) = pick(at) {
                    let side = &self.connections[at].sides[side];
                    let (host, link) = (side.host, side.id);
                    self.input(host, Input::Silence { link, suspected });
                }
            }
        }
    }

    /// Lets everything arrive; strangers who say nothing run out of time.
    fn drain(&mut self) {
        for _ in 0..1000 {
            let mut busy = false;
            for at in 0..self.connections.len() {
                busy |= self.connections[at].greeting;
                self.greet(at);
                for near in [0, 1] {
                    let [side, far] = self.sides(at, near);
                    busy |= !side.inbox.is_empty() || !side.wire.is_empty();
                    let silent = side.wire.is_empty() && side.inbox.is_empty() && side.open;
                    // One end was cut; the other finds out in time.
                    if silent && !far.open && far.inbox.is_empty() {
                        end(side, End::Cut("cut".to_owned()));
                        busy = true;
                    } else if silent && side.known && side.allowance == Allowance::OneMessage {
                        end(side, closed("the time is up"));
                        far.wire.push_back(Wire::Bye("the time is up".to_owned()));
                        busy = true;
                    }
                    self.arrive(at, near);
                    self.hear(at, near);
                }
            }
            if !busy {
                return;
            }
        }
        panic!("it never gets quiet");
    }

    fn open_between(&self, one: usize, other: usize) -> usize {
        let is_one = |connection: &&Connection| {
            let [a, b] = &connection.sides;
            [(a.host, b.host), (b.host, a.host)].contains(&(one, other)) && a.open && b.open
        };
        self.connections.iter().filter(is_one).count()
    }

    /// Once quiet, and after as many dials as it takes.
    fn check(&mut self) {
        self.drain();
        for round in 0.. {
            let mut missing = Vec::new();
            for from in 0..HOSTS {
                for to in (0..HOSTS).filter(|to| *to != from) {
                    assert!(!self.said[from][to].asked, "{from} was not told what became of {to}");
                    if self.trusts[from][to] && self.trusts[to][from] && !self.said[from][to].linked {
                        missing.push((from, to));
                    }
                }
            }
            if missing.is_empty() {
                break;
            }
            assert!(round < 4, "{missing:?} find no link");
            for (from, to) in missing {
                self.dial(from, to, true);
            }
            self.drain();
        }
        for from in 0..HOSTS {
            let mut links = 0;
            for to in (0..HOSTS).filter(|to| *to != from) {
                let mutual = self.trusts[from][to] && self.trusts[to][from];
                let said = &self.said[from][to];
                assert_eq!(
                    (said.linked, said.up, self.open_between(from, to)),
                    (mutual, mutual, usize::from(mutual)),
                    "{from} to {to}"
                );
                if mutual {
                    assert!(matches!(said.view, Some(LinkView::Up { .. })), "{from} to {to}: {said:?}");
                } else {
                    assert!(
                        matches!(said.view, None | Some(LinkView::Down { .. })),
                        "{from} to {to}: {said:?}"
                    );
                }
                links += usize::from(mutual);
            }
            assert_eq!(self.cores[from].count(), links, "links that nobody has are remembered");
            let trusts = self.trusts;
            for to in (0..HOSTS).filter(|to| *to != from && trusts[from][*to]) {
                let before = self.connections.len();
                self.dial(from, to, true);
                let dialled = self.connections.len() > before;
                assert_eq!(dialled, !self.trusts[to][from], "a dial of {to} was left behind at {from}");
                self.drain();
                assert!(!self.said[from][to].asked);
            }
        }
    }
}

/// A link ends; its owner hears of it if it knows of it.
fn end(side: &mut Side, end: End) {
    if std::mem::take(&mut side.open) && side.known {
        side.inbox.push_back(Input::Ended { link: side.id, end });
    }
}

pub(super) fn close_order(to: usize) -> Input {
    Input::Order(TrustOrder::Close { key: key(to), reason: Obstacle::NotApproved })
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Dial(usize, usize, bool),
    Greet(usize),
    Arrive(usize, usize),
    Hear(usize, usize),
    Cut(usize, usize),
    Trust(usize, usize, bool),
    Doubt(usize, usize),
    Own(usize, bool),
    Load(usize, u16),
    Introduce(usize, usize),
    Suspect(usize, usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let host = || 0..HOSTS;
    let (at, side) = (|| 0..64_usize, || 0..2_usize);
    let step = prop_oneof![
        6 => (host(), host(), prop::bool::weighted(0.8)).prop_map(|(a, b, c)| Step::Dial(a, b, c)),
        10 => at().prop_map(Step::Greet),
        16 => (at(), side()).prop_map(|(a, b)| Step::Arrive(a, b)),
        24 => (at(), side()).prop_map(|(a, b)| Step::Hear(a, b)),
        1 => (at(), side()).prop_map(|(a, b)| Step::Cut(a, b)),
        2 => (host(), host(), any::<bool>()).prop_map(|(a, b, c)| Step::Trust(a, b, c)),
        1 => (host(), host()).prop_map(|(a, b)| Step::Doubt(a, b)),
        1 => (host(), any::<bool>()).prop_map(|(a, b)| Step::Own(a, b)),
        1 => (host(), 0..3_u16).prop_map(|(a, b)| Step::Load(a, b)),
        1 => (host(), host()).prop_map(|(a, b)| Step::Introduce(a, b)),
        1 => (at(), side(), any::<bool>()).prop_map(|(a, b, c)| Step::Suspect(a, b, c)),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_those_who_trust_each_other_come_to_have_one_link(
        trusts in any::<[[bool; HOSTS]; HOSTS]>(),
        steps in steps(),
    ) {
        let mut network = Network::new(trusts);
        for step in steps {
            network.step(step);
        }
        network.check();
    }
}
