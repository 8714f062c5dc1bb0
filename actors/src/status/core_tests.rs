//! Named situations, and cores joined by a simulated network in which anything may happen in any order.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::LinkView;
use flotilla_messages::port::status::{LARGEST_TO_STRANGERS, Load, MOST_ISSUERS, Serial, StatusMessage};
use flotilla_messages::wire::Hello;
use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::core::{Core, Effect, Input};
use crate::link::{Allowance, End, LinkId};
use crate::trust::{Obstacle, TrustOrder};

const HOSTS: usize = 3;

fn key(host: usize) -> Fingerprint {
    Fingerprint([u8::try_from(host).unwrap() + 1; 32])
}

fn host(key: Fingerprint) -> usize {
    usize::from(key.0[0]) - 1
}

/// Where a host listens; at an odd port nobody does.
fn address(host: usize, reachable: bool) -> SocketAddr {
    let port = 1000 + 2 * u16::try_from(host).unwrap() + u16::from(!reachable);
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn statement(size: usize) -> ByteBuf {
    ByteBuf::from(vec![0; size])
}

fn closed(reason: &str) -> End {
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
            Effect::Say { link, message } => {
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

fn close_order(to: usize) -> Input {
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

/// A core, and what it was told and says.
struct One {
    core: Core,
    effects: Vec<Effect>,
}

impl One {
    /// Of the lower or the higher key of two.
    fn new(lower: bool) -> Self {
        let mut one = Self { core: Core::new(key(if lower { 0 } else { 2 })), effects: Vec::new() };
        one.input(Input::Order(TrustOrder::Own(statement(200))));
        one
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        self.effects.clear();
        self.core.handle(input, &mut self.effects);
        self.effects.clone()
    }

    fn up(&mut self, link: LinkId, allowance: Allowance) -> Vec<Effect> {
        let hello = Hello::of_this_build(1);
        self.input(Input::Up { link, key: key(1), address: address(1, true), hello, allowance })
    }

    fn says(&mut self, link: LinkId, message: StatusMessage) -> Vec<Effect> {
        self.input(Input::Message { link, message })
    }

    fn mutual(&mut self, link: LinkId) -> Vec<Effect> {
        self.up(link, Allowance::Full);
        self.says(link, StatusMessage::TrustYouNow(statement(200)))
    }

    fn dial(&mut self) -> Vec<Effect> {
        self.input(Input::Dial { key: key(1), addresses: vec![address(1, true)] })
    }

    fn ended(&mut self, link: LinkId, end: End) -> Vec<Effect> {
        self.input(Input::Ended { link, end })
    }
}

fn closes(effects: &[Effect]) -> Vec<LinkId> {
    let closed = |effect: &Effect| match effect {
        Effect::Close { link, .. } => Some(*link),
        _ => None,
    };
    effects.iter().filter_map(closed).collect()
}

const FIRST: LinkId = LinkId::Dialled(1);
const THEIRS: LinkId = LinkId::Accepted(1);

#[test]
fn of_two_links_both_keep_the_one_that_the_lower_key_dialled() {
    for (lower, dropped) in [(true, THEIRS), (false, FIRST)] {
        for order in [[FIRST, THEIRS], [THEIRS, FIRST]] {
            let mut one = One::new(lower);
            one.dial();
            assert!(closes(&one.mutual(order[0])).is_empty());
            assert_eq!(closes(&one.mutual(order[1])), [dropped], "lower {lower}, {order:?}");
        }
    }
}

#[test]
fn of_two_links_from_one_side_the_later_is_kept_in_whatever_order_they_become_mutual() {
    for lower in [true, false] {
        let mut one = One::new(lower);
        let second = LinkId::Accepted(2);
        one.up(THEIRS, Allowance::Full);
        one.mutual(second);
        let late = one.says(THEIRS, StatusMessage::Load(Load::default()));
        assert_eq!(closes(&late), [THEIRS], "the newest word came over the older link");
    }
}

#[test]
fn a_link_that_came_up_after_trust_was_withdrawn_answers_its_dial_all_the_same() {
    let mut one = One::new(true);
    one.dial();
    // Trusted when it was dialled, not any more when it showed its key.
    assert_eq!(closes(&one.up(FIRST, Allowance::OneMessage)), [FIRST]);
    let effects = one.ended(FIRST, closed("not trusted"));
    assert!(effects.contains(&Effect::Failed { key: key(1), hopeless: false }), "{effects:?}");
    assert!(matches!(one.dial()[..], [Effect::Connect { .. }, ..]), "the old dial is left behind");
}

#[test]
fn a_link_that_comes_up_while_another_closes_is_told_as_new() {
    let mut one = One::new(true);
    one.dial();
    one.mutual(FIRST);
    let doubted = one.input(Input::Doubt(key(1)));
    assert_eq!(closes(&doubted), [FIRST]);
    assert!(doubted.ends_with(&[Effect::LinkDown(key(1)), Effect::Lost(key(1))]), "{doubted:?}");
    // So that trust introduces this machine over the new link too.
    assert!(one.up(THEIRS, Allowance::Full).contains(&Effect::LinkUp(key(1))));
    let ended = one.ended(FIRST, closed("doubt"));
    let news = |effect: &&Effect| matches!(effect, Effect::LinkUp(_) | Effect::LinkDown(_));
    assert_ne!(ended.iter().rfind(news), Some(&Effect::LinkDown(key(1))));
}

#[test]
fn what_was_said_over_a_link_that_gave_way_is_said_again() {
    let mut one = One::new(false);
    one.dial();
    one.mutual(FIRST);
    one.mutual(THEIRS);
    let ended = one.ended(FIRST, End::ByeByPeer("another link is in use".to_owned()));
    assert_eq!(ended[..2], [Effect::LinkDown(key(1)), Effect::LinkUp(key(1))]);
    let serials = vec![Serial { issuer: key(1), serial: 7 }];
    let order = TrustOrder::Introduce { to: key(1), serials: vec![serials.clone()] };
    let message = StatusMessage::Serials(serials);
    assert_eq!(one.input(Input::Order(order)), [Effect::Say { link: THEIRS, message }]);
}

#[test]
fn nothing_is_said_over_a_link_whose_close_crossed_its_coming_up() {
    let mut one = One::new(true);
    one.dial();
    assert_eq!(closes(&one.input(close_order(1))), [FIRST]);
    assert_eq!(one.input(close_order(1)), [], "once is enough");
    assert_eq!(one.up(FIRST, Allowance::Full), []);
    let ended = one.ended(FIRST, closed("not trusted"));
    assert_eq!(ended[0], Effect::Failed { key: key(1), hopeless: false });
}

#[test]
fn a_stranger_may_say_one_thing_and_only_whom_it_trusts() {
    let mut one = One::new(true);
    assert_eq!(one.up(THEIRS, Allowance::OneMessage), [], "a stranger is told nothing");
    let effects = one.says(THEIRS, StatusMessage::TrustYouNow(statement(10)));
    assert_eq!(effects[0], Effect::Statement { from: key(1), bytes: statement(10) });
    assert_eq!(closes(&effects), [THEIRS]);
    assert_eq!(one.says(THEIRS, StatusMessage::TrustYouNow(statement(10))), []);
    let second = LinkId::Accepted(2);
    one.up(second, Allowance::OneMessage);
    let effects = one.says(second, StatusMessage::Want(vec![key(0)]));
    assert_eq!((effects.len(), closes(&effects)), (1, vec![second]), "a stranger wants what it may not");
}

#[test]
fn a_message_beyond_the_limits_ends_the_link() {
    let mut one = One::new(true);
    one.mutual(THEIRS);
    let effects = one.says(THEIRS, StatusMessage::Want(vec![key(0); MOST_ISSUERS + 1]));
    assert_eq!(closes(&effects), [THEIRS]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Wanted { .. })));
}

#[test]
fn a_large_statement_waits_until_the_peer_is_known_to_trust_this_machine() {
    let mut one = One::new(true);
    let large = statement(LARGEST_TO_STRANGERS + 1);
    one.input(Input::Order(TrustOrder::Own(large.clone())));
    let up = one.up(THEIRS, Allowance::Full);
    // Something must be said, or two who both have much to say would wait for each other.
    let load = StatusMessage::Load(Load::default());
    assert_eq!(up[0], Effect::Say { link: THEIRS, message: load.clone() });
    let effects = one.says(THEIRS, load);
    assert_eq!(effects[0], Effect::Say { link: THEIRS, message: StatusMessage::TrustYouNow(large) });
}

#[test]
fn a_dial_tries_each_address_and_a_bye_without_a_word_means_no_trust() {
    let mut one = One::new(true);
    let addresses = vec![address(1, false), address(1, true)];
    one.input(Input::Dial { key: key(1), addresses });
    let second = one.ended(FIRST, End::Unreachable("no route".to_owned()));
    let connect = Effect::Connect { number: 2, address: address(1, true), expected: key(1) };
    assert_eq!(second, [connect]);
    one.up(LinkId::Dialled(2), Allowance::Full);
    let refused = one.ended(LinkId::Dialled(2), End::ByeByPeer("who are you".to_owned()));
    assert_eq!(refused[..2], [Effect::LinkDown(key(1)), Effect::Failed { key: key(1), hopeless: true }]);
    let Some(Effect::Shown { view: LinkView::Down { reason }, .. }) = refused.last() else {
        panic!("{refused:?}")
    };
    assert!(reason.contains("does not trust this machine's key"), "{reason}");
    // A handshake that the network broke says nothing about trust.
    one.dial();
    let cut = one.ended(LinkId::Dialled(3), End::Cut("in the TLS handshake".to_owned()));
    assert_eq!(cut[0], Effect::Failed { key: key(1), hopeless: false });
}

#[test]
fn statements_go_to_those_who_are_named_and_questions_to_all_who_may_answer() {
    let mut one = One::new(true);
    let order = TrustOrder::Tell { to: vec![key(1)], statement: statement(5) };
    assert_eq!(one.input(Input::Order(order.clone())), []);
    one.up(THEIRS, Allowance::Full);
    assert_eq!(one.input(Input::Order(order.clone())), [], "it may not trust us");
    one.says(THEIRS, StatusMessage::TrustYouNow(statement(200)));
    let said = |message| [Effect::Say { link: THEIRS, message }];
    assert_eq!(one.input(Input::Order(order)), said(StatusMessage::Statement(statement(5))));
    for from in [None, Some(key(1))] {
        let ask = TrustOrder::Ask { issuer: key(2), from };
        assert_eq!(one.input(Input::Order(ask)), said(StatusMessage::Want(vec![key(2)])));
    }
    let ask = TrustOrder::Ask { issuer: key(2), from: Some(key(2)) };
    assert_eq!(one.input(Input::Order(ask)), []);
    let load = Load { running: 1, ..Load::default() };
    assert_eq!(one.input(Input::OwnLoad(load)), said(StatusMessage::Load(load)));
    assert_eq!(one.input(Input::OwnLoad(load)), [], "said already");
}

#[test]
fn silence_is_shown_while_it_lasts() {
    let mut one = One::new(true);
    one.mutual(THEIRS);
    for suspected in [true, false] {
        let view = LinkView::Up { suspected };
        let shown = [Effect::Shown { key: key(1), view }];
        assert_eq!(one.input(Input::Silence { link: THEIRS, suspected }), shown);
    }
}
