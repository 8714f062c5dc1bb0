//! Clients that come, wait, speak out of turn, lose trust and go.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn link(number: u64) -> LinkId {
    LinkId::Accepted(number)
}

/// Two clients share a key.
fn key(number: u64) -> Fingerprint {
    Fingerprint([(number / 2) as u8; 32])
}

/// A queue, and what its effects amount to.
#[derive(Default)]
struct Bench {
    queue: ClientQueue,
    /// What each client that waits was told last.
    ahead: BTreeMap<LinkId, u16>,
    session: Option<LinkId>,
    others: Option<bool>,
    load: Guests,
    /// In the order in which sessions began.
    begun: Vec<LinkId>,
    /// Those that left the queue by an effect.
    out: BTreeSet<LinkId>,
    session_ends: bool,
}

impl Bench {
    fn take(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.queue.handle(input, &mut effects);
        for effect in &effects {
            match effect {
                Effect::TellAhead { link, ahead } => {
                    assert!(*ahead > 0, "zero means that it is its turn");
                    self.ahead.insert(*link, *ahead);
                }
                Effect::Begin(link) => {
                    assert_eq!(self.session.replace(*link), None, "one at a time");
                    assert!(!self.out.contains(link), "it has left");
                    self.ahead.remove(link);
                    self.begun.push(*link);
                }
                Effect::Give { link, .. } | Effect::Refuse { link, .. } | Effect::Close { link, .. } => {
                    assert_ne!(self.session, Some(*link), "its session closes its link");
                    self.ahead.remove(link);
                    self.out.insert(*link);
                }
                Effect::Others(others) => {
                    assert!(self.session.is_some());
                    self.others = Some(*others);
                }
                Effect::RefuseSession | Effect::StopSession(_) => {
                    assert!(self.session.is_some());
                    self.session_ends = true;
                }
                Effect::Load(guests) => self.load = *guests,
            }
        }
        effects
    }

    fn arrive(&mut self, number: u64) -> Vec<Effect> {
        self.take(Input::Arrived { link: link(number), key: key(number) })
    }

    fn end_session(&mut self) {
        if let Some(link) = self.session.take() {
            self.session_ends = false;
            self.take(Input::SessionEnded(link));
        }
    }
}

#[test]
fn clients_are_served_in_the_order_in_which_they_came() {
    let mut bench = Bench::default();
    assert_eq!(bench.arrive(0)[0], Effect::Begin(link(0)));
    assert_eq!(bench.arrive(1)[0], Effect::TellAhead { link: link(1), ahead: 1 });
    assert_eq!(bench.arrive(2)[0], Effect::TellAhead { link: link(2), ahead: 2 });
    assert_eq!(bench.others, Some(true));
    assert_eq!(bench.load, Guests { running: 0, clients: 3 });
    bench.end_session();
    assert_eq!(bench.begun, [link(0), link(1)]);
    assert_eq!(bench.ahead, [(link(2), 1)].into());
}

#[test]
fn one_that_fetches_leaves_the_queue_and_one_that_talks_out_of_turn_is_refused() {
    let mut bench = Bench::default();
    (0..4).for_each(|number| drop(bench.arrive(number)));
    let blobs = vec![Digest([1; 32])];
    let fetch = || WorkMessage::Fetch(blobs.clone());
    let message = |number, message, trusted| Input::Message { link: link(number), message, trusted };
    let effects = bench.take(message(1, fetch(), true));
    assert!(effects.contains(&Effect::Give { link: link(1), blobs: blobs.clone() }), "{effects:?}");
    assert_eq!(bench.ahead, [(link(2), 1), (link(3), 2)].into());
    let effects = bench.take(message(2, fetch(), false));
    let reason = "it is not this client's turn";
    assert!(effects.contains(&Effect::Refuse { link: link(2), reason }), "{effects:?}");
    let effects = bench.take(message(3, WorkMessage::Fetch(vec![Digest([1; 32]); MOST_FETCHED + 1]), true));
    assert!(effects.contains(&Effect::Refuse { link: link(3), reason }), "{effects:?}");
    assert_eq!(bench.load.clients, 1);
}

#[test]
fn after_the_stop_nobody_is_served() {
    let mut bench = Bench::default();
    bench.arrive(0);
    bench.arrive(1);
    let effects = bench.take(Input::Stop("the end".into()));
    let close = Effect::Close { link: link(1), reason: "the end".into() };
    assert_eq!(effects, [close, Effect::StopSession("the end".into())]);
    assert!(matches!(&bench.arrive(2)[..], [Effect::Close { .. }]));
    bench.end_session();
    assert_eq!(bench.begun, [link(0)]);
}

#[derive(Clone, Debug)]
enum Step {
    Arrive,
    Speak(u64, bool, bool),
    Hang(u64),
    EndSession,
    Running(u64, u16),
    Distrust(u64),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..20_u64;
    prop_oneof![
        6 => Just(Step::Arrive),
        3 => (who.clone(), any::<bool>(), any::<bool>()).prop_map(|(who, fetch, trusted)| Step::Speak(who, fetch, trusted)),
        3 => who.clone().prop_map(Step::Hang),
        3 => Just(Step::EndSession),
        2 => (who.clone(), 0..9_u16).prop_map(|(who, running)| Step::Running(who, running)),
        1 => who.prop_map(Step::Distrust),
        1 => Just(Step::Stop),
    ]
}

proptest! {
    #[test]
    fn all_know_their_place_and_each_is_served_once_or_has_left(steps in prop::collection::vec(step(), 0..80)) {
        let mut bench = Bench::default();
        // Those that wait, by a queue as simple as can be.
        let mut model: Vec<LinkId> = Vec::new();
        let (mut came, mut stopped) = (0, false);
        for step in steps {
            match step {
                Step::Arrive => {
                    if !stopped {
                        model.push(link(came));
                    }
                    bench.arrive(came);
                    came += 1;
                }
                Step::Speak(who, fetch, trusted) => {
                    let message = if fetch { WorkMessage::Fetch(Vec::new()) } else { WorkMessage::Done };
                    let effects = bench.take(Input::Message { link: link(who), message, trusted });
                    let given = effects.iter().any(|effect| matches!(effect, Effect::Give { .. }));
                    prop_assert_eq!(given, fetch && trusted && model.contains(&link(who)));
                    model.retain(|waits| *waits != link(who));
                }
                Step::Hang(who) => {
                    bench.take(Input::LinkEnded(link(who)));
                    bench.ahead.remove(&link(who));
                    model.retain(|waits| *waits != link(who));
                }
                Step::EndSession => bench.end_session(),
                Step::Running(who, running) => drop(bench.take(Input::Running { link: link(who), running })),
                Step::Distrust(who) => {
                    let serves = bench.session.is_some_and(|session| key_of(session) == key(who));
                    bench.session_ends = false;
                    bench.take(Input::Distrusted(key(who)));
                    prop_assert_eq!(bench.session_ends, serves);
                    model.retain(|waits| key_of(*waits) != key(who));
                }
                Step::Stop => {
                    stopped = true;
                    bench.take(Input::Stop("the end".into()));
                    model.clear();
                }
            }
            if let Some(session) = bench.session && model.first() == Some(&session) {
                model.remove(0);
            }
            prop_assert!(stopped || bench.session.is_some() || model.is_empty(), "somebody is served while any wait");
            let served = usize::from(bench.session.is_some());
            let places = model.iter().enumerate().map(|(place, link)| (*link, (place + served) as u16));
            prop_assert_eq!(&bench.ahead, &places.collect());
            prop_assert_eq!(usize::from(bench.queue.clients()), model.len() + served);
            if !stopped {
                prop_assert_eq!(bench.load.clients, bench.queue.clients());
                prop_assert!(bench.session.is_none() || bench.others == Some(!model.is_empty()));
            }
        }
        let mut sorted = bench.begun.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(sorted, bench.begun, "in the order in which they came, each once");
    }
}

fn key_of(link: LinkId) -> Fingerprint {
    match link {
        LinkId::Accepted(number) | LinkId::Dialled(number) => key(number),
    }
}
