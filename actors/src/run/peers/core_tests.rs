//! Single and random histories of peers that come and go.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flotilla_messages::{Fingerprint, PeerPart};
use proptest::prelude::*;

use super::core::*;

const KEY: Fingerprint = Fingerprint([7; 32]);

struct World {
    core: Core,
    now: Instant,
}

impl World {
    /// One peer, which is dialled.
    fn new(alone: bool, key: Option<Fingerprint>) -> Self {
        let mut world = Self { core: Core::new(alone), now: Instant::now() };
        let effects = world.handle(Input::Begin(vec![("bob".into(), key)]));
        let asked = Effect::Part { peer: "bob".into(), part: PeerPart::Asked };
        assert_eq!(effects, [Effect::Dial { peer: 0, key }, asked]);
        world
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.handle(self.now, input, &mut effects);
        effects
    }

    fn join(&mut self) -> Vec<Effect> {
        self.handle(Input::Joined { peer: 0, sent: 12_345, after: Duration::from_millis(250) })
    }

    fn over(&mut self, key: Option<Fingerprint>, joined: bool, again: bool) -> Vec<Effect> {
        self.handle(Input::Over { peer: 0, key, reason: Some("reset".into()), joined, again })
    }
}

fn pauses(effects: &[Effect]) -> Vec<u64> {
    let of = |effect: &Effect| match effect {
        Effect::Pause { pause, .. } => Some(pause.as_millis() as u64),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn notices(effects: &[Effect]) -> Vec<&str> {
    let mut notices = Vec::new();
    for effect in effects {
        if let Effect::Notice(text) = effect {
            notices.push(text.as_str());
        }
    }
    notices
}

fn dials(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Dial { .. })).count()
}

#[test]
fn a_peer_that_never_answered_is_given_up_at_once() {
    for key in [None, Some(KEY)] {
        let mut world = World::new(false, key);
        let effects = world.over(None, false, true);
        assert_eq!(notices(&effects), ["bob is not used: reset"]);
        assert_eq!(pauses(&effects), []);
        assert_eq!(world.handle(Input::PauseOver(0)), []);
    }
}

#[test]
fn pauses_grow_until_a_peer_has_stayed() {
    let mut world = World::new(false, None);
    let mut seen = Vec::new();
    for _ in 0..7 {
        let effects = world.over(Some(KEY), false, true);
        assert!(effects.contains(&Effect::Unresponsive { key: KEY, reason: "reset".into() }));
        seen.extend(pauses(&effects));
        assert_eq!(world.handle(Input::PauseOver(0)), [Effect::Dial { peer: 0, key: Some(KEY) }]);
    }
    assert_eq!(seen, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    for (stays, pause) in [(STEADY - Duration::from_secs(1), 15_000), (STEADY, 500)] {
        world.join();
        world.now += stays;
        assert_eq!(pauses(&world.over(Some(KEY), true, true)), [pause]);
        world.handle(Input::PauseOver(0));
    }
}

#[test]
fn what_becomes_of_a_peer_is_reported() {
    let mut world = World::new(false, None);
    assert_eq!(notices(&world.join()), ["bob takes part: 12.3 kB sent, 0.2 s"]);
    let effects = world.over(Some(KEY), true, true);
    assert_eq!(notices(&effects), ["bob is not used any more: reset; it is dialled again"]);
    world.handle(Input::PauseOver(0));
    let effects = world.over(None, false, false);
    assert_eq!(notices(&effects), ["bob is not used any more: reset; and then: reset"]);
    let part = PeerPart::Out { reason: "reset; and then: reset".into() };
    assert!(effects.contains(&Effect::Part { peer: "bob".into(), part }));
}

#[test]
fn where_nothing_else_runs_tests_a_peer_is_dialled_a_few_times_and_the_run_is_told() {
    let mut world = World::new(true, None);
    for _ in 0..MOST_DIALS_ALONE {
        assert_eq!(pauses(&world.over(Some(KEY), false, true)).len(), 1);
        assert_eq!(dials(&world.handle(Input::PauseOver(0))), 1);
    }
    let effects = world.over(Some(KEY), false, true);
    let reason = "no peer can be used: bob is not used: reset".to_owned();
    assert_eq!(effects.last(), Some(&Effect::NoneLeft { reason }));
}

#[test]
fn a_run_without_peers_says_so_where_nothing_else_runs_tests() {
    for alone in [false, true] {
        let mut world = World { core: Core::new(alone), now: Instant::now() };
        let effects = world.handle(Input::Unusable("no inputs".into()));
        let reason = "no peer can be used: no inputs".to_owned();
        let notice = Effect::Notice("all tests run on this machine: no inputs".into());
        assert_eq!(effects, [if alone { Effect::NoneLeft { reason } } else { notice }]);
    }
}

#[test]
fn a_key_that_is_not_trusted_any_more_is_not_dialled_again() {
    let mut world = World::new(true, None);
    assert_eq!(world.handle(Input::Distrusted(KEY)), [Effect::Distrust { peer: 0, key: KEY }]);
    world.over(Some(KEY), false, true);
    assert!(matches!(world.handle(Input::Distrusted(KEY))[..], [Effect::NoneLeft { .. }]));
    assert_eq!(world.handle(Input::PauseOver(0)), []);
}

#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    Over { peer: usize, key: bool, reason: bool, again: bool },
    PauseOver(usize),
    Distrusted(usize),
    Wait(u64),
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let over = (0..4_usize, any::<bool>(), prop::bool::weighted(0.9), prop::bool::weighted(0.8));
    let step = prop_oneof![
        4 => (0..4_usize).prop_map(Step::Join),
        8 => over.prop_map(|(peer, key, reason, again)| Step::Over { peer, key, reason, again }),
        8 => (0..4_usize).prop_map(Step::PauseOver),
        1 => (0..4_usize).prop_map(Step::Distrusted),
        3 => (0..20_u64).prop_map(Step::Wait),
    ];
    let end = prop::option::weighted(0.2, Just(Step::End));
    (prop::collection::vec(step, 0..120), end).prop_map(|(mut steps, end)| {
        if let Some(end) = end {
            steps.insert(steps.len() / 2, end);
        }
        steps
    })
}

/// What the world knows of one peer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Dialled,
    Here,
    Pausing,
    Gone,
}

fn key(peer: usize) -> Fingerprint {
    Fingerprint([peer as u8; 32])
}

/// A proxy that the core has asked for speaks for itself; all else is noise that must not matter.
struct Model {
    core: Core,
    now: Instant,
    alone: bool,
    peers: BTreeMap<usize, Is>,
    /// Dials of each since it last joined.
    failed: BTreeMap<usize, u32>,
    none_left: bool,
    over: bool,
}

impl Model {
    fn handle(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.core.handle(self.now, input, &mut effects);
        assert!(!self.over || effects.is_empty(), "something follows the end: {effects:?}");
        for effect in effects {
            match effect {
                Effect::Dial { peer, .. } => {
                    let was = self.peers.insert(peer, Is::Dialled);
                    assert!(matches!(was, None | Some(Is::Pausing)), "dialled while {was:?}");
                    *self.failed.entry(peer).or_default() += 1;
                }
                Effect::Pause { peer, pause } => {
                    assert_eq!(self.peers.insert(peer, Is::Pausing), Some(Is::Gone), "two pauses");
                    assert!((500..=15_000).contains(&pause.as_millis()));
                    let nobody = !self.peers.values().any(|is| *is == Is::Here);
                    assert!(!(self.alone && nobody) || self.failed[&peer] <= MOST_DIALS_ALONE);
                }
                Effect::Distrust { peer, .. } => {
                    assert!(matches!(self.peers[&peer], Is::Dialled | Is::Here));
                }
                Effect::NoneLeft { .. } => {
                    assert!(self.alone && !std::mem::replace(&mut self.none_left, true));
                    assert!(self.peers.values().all(|is| *is == Is::Gone), "some are left");
                }
                Effect::Unresponsive { .. } | Effect::Part { .. } | Effect::Notice(_) => {}
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(peer) => {
                if self.peers.get(&peer) == Some(&Is::Dialled) {
                    self.peers.insert(peer, Is::Here);
                    self.failed.insert(peer, 0);
                }
                self.handle(Input::Joined { peer, sent: 0, after: Duration::ZERO });
            }
            Step::Over { peer, key: answered, reason, again } => {
                let was = self.peers.get(&peer).copied();
                let has_proxy = matches!(was, Some(Is::Dialled | Is::Here));
                if has_proxy {
                    // Unless a pause follows, for good.
                    self.peers.insert(peer, Is::Gone);
                }
                let (key, joined) = (answered.then(|| key(peer)), was == Some(Is::Here));
                let reason = reason.then(|| "reset".to_owned());
                let comes_back = again && reason.is_some();
                self.handle(Input::Over { peer, key, reason, joined, again });
                assert!(comes_back || !has_proxy || self.peers[&peer] == Is::Gone, "it was to stay away");
            }
            Step::PauseOver(peer) => {
                let waits = self.peers.get(&peer) == Some(&Is::Pausing) && !self.over;
                self.handle(Input::PauseOver(peer));
                assert!(!waits || self.peers[&peer] == Is::Dialled, "it was to be dialled");
            }
            Step::Distrusted(peer) => {
                // Those whose key is known only; the others have a proxy that knows.
                let pausing = self.peers.get(&peer) == Some(&Is::Pausing);
                if pausing && self.core.key(peer) == Some(key(peer)) && !self.over {
                    self.peers.insert(peer, Is::Gone);
                }
                self.handle(Input::Distrusted(key(peer)));
            }
            Step::Wait(seconds) => self.now += Duration::from_secs(seconds),
            Step::End => {
                self.handle(Input::End);
                self.over = true;
            }
        }
        let none = self.peers.values().all(|is| *is == Is::Gone);
        assert!(self.over || !self.alone || none == self.none_left, "the run is not told");
    }
}

proptest! {
    #[test]
    fn peers_are_dialled_one_dial_at_a_time_and_never_after_they_were_given_up(
        count in 0..4_usize, alone in any::<bool>(), known in any::<bool>(), steps in steps(),
    ) {
        let core = Core::new(alone);
        let (peers, failed) = (BTreeMap::new(), BTreeMap::new());
        let mut model =
            Model { core, now: Instant::now(), alone, peers, failed, none_left: false, over: false };
        let peers = (0..count).map(|peer| (format!("peer{peer}"), known.then(|| key(peer)))).collect();
        model.handle(Input::Begin(peers));
        prop_assert_eq!(model.peers.len(), count, "not all are dialled");
        for step in steps {
            model.step(step);
        }
    }
}
