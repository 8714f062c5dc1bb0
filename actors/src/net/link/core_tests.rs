//! The core of a link: single rules, and random histories.

use std::time::{Duration, Instant};

use flotilla_messages::wire::{Hello, Refused, Versions};
use proptest::prelude::*;

use super::core::{Allowance, Core, Effect, Input, Timing};
use super::end::{End, Stage};

const OURS: Versions = Versions { oldest: 2, newest: 3 };

fn hello(oldest: u16, newest: u16) -> Hello {
    Hello { versions: Versions { oldest, newest }, ..Hello::of_this_build(4) }
}

/// A core and the time since its beginning.
struct Life {
    start: Instant,
    core: Core,
}

impl Life {
    fn new() -> Self {
        let start = Instant::now();
        Self { start, core: Core::new(start, OURS, Timing::default()) }
    }

    /// One that is up since second 0.
    fn up(allowance: Allowance) -> Self {
        let mut life = Self::new();
        life.at(0.0, Input::Secured(allowance));
        life.at(0.0, Input::Hello(hello(1, 2)));
        life
    }

    fn at(&mut self, seconds: f64, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.handle(self.start + Duration::from_secs_f64(seconds), input, &mut effects);
        effects
    }

    fn due(&self) -> Option<f64> {
        self.core.deadline().map(|deadline| (deadline - self.start).as_secs_f64())
    }
}

fn ended(end: End) -> Vec<Effect> {
    vec![Effect::Ended(end)]
}

#[test]
fn a_link_comes_up_when_both_have_said_hello() {
    let mut life = Life::new();
    assert_eq!(life.at(1.0, Input::Secured(Allowance::Full)), [Effect::SendHello]);
    assert!(!life.core.is_up());
    let up = Effect::Up { hello: hello(1, 2), version: 2, allowance: Allowance::Full };
    assert_eq!(life.at(2.0, Input::Hello(hello(1, 2))), [up]);
}

#[test]
fn the_handshake_and_hello_have_five_seconds_each() {
    let mut life = Life::new();
    assert_eq!(life.due(), Some(5.0));
    assert_eq!(life.at(4.9, Input::Time), []);
    assert_eq!(life.at(5.0, Input::Time), ended(End::Late(Stage::Handshake)));
    assert_eq!(life.due(), None);

    let mut life = Life::new();
    life.at(4.0, Input::Secured(Allowance::Full));
    assert_eq!(life.due(), Some(9.0));
    assert_eq!(life.at(8.9, Input::Progress), [], "a drop of a frame now and then buys no time");
    let effects = life.at(9.0, Input::Progress);
    assert_eq!(effects.last(), Some(&Effect::Ended(End::Late(Stage::Hello))));
}

#[test]
fn versions_that_do_not_meet_are_refused_in_words_with_both_ranges() {
    let mut life = Life::new();
    life.at(0.0, Input::Secured(Allowance::Full));
    let effects = life.at(0.0, Input::Hello(hello(4, 7)));
    let [Effect::SendRefused(told), Effect::Ended(end)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(told.their_version, OURS);
    assert!(told.reason.contains("2 to 3 here, 4 to 7 there"), "{told:?}");
    assert!(end.to_string().contains("2 to 3 here, 4 to 7 at the peer"), "{end}");
}

#[test]
fn a_peers_refusal_is_told_with_its_version_and_cannot_forge_lines() {
    let mut life = Life::new();
    life.at(0.0, Input::Secured(Allowance::Full));
    let refused = Refused { reason: "go\naway".into(), their_version: Versions { oldest: 9, newest: 9 } };
    let effects = life.at(0.0, Input::Refused(refused));
    let [Effect::Ended(end)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(end.to_string(), "refused by the peer (which speaks protocol version 9): go\\naway");
}

#[test]
fn a_heartbeat_goes_out_when_nothing_else_did_for_a_second() {
    let mut life = Life::up(Allowance::Full);
    assert_eq!(life.due(), Some(1.0));
    assert_eq!(life.at(0.5, Input::Sent), []);
    assert_eq!(life.at(1.0, Input::Time), []);
    assert_eq!(life.due(), Some(1.5));
    assert_eq!(life.at(1.5, Input::Time), [Effect::SendHeartbeat]);
    assert_eq!(life.due(), Some(2.5));
}

#[test]
fn silence_is_suspected_after_three_seconds_and_the_end_after_ten() {
    let mut life = Life::up(Allowance::Full);
    assert_eq!(life.at(2.9, Input::Time), [Effect::SendHeartbeat]);
    assert_eq!(life.at(3.0, Input::Time), [Effect::Suspected]);
    assert_eq!(life.at(3.5, Input::Heartbeat), [Effect::Recovered]);
    assert_eq!(life.at(6.5, Input::Sent), [Effect::Suspected]);
    life.at(13.4, Input::Time);
    let silent = End::Silent(Duration::from_secs(10));
    assert_eq!(life.at(13.5, Input::Sent), ended(silent));
}

#[test]
fn a_slow_owner_is_not_the_peers_silence() {
    let mut life = Life::up(Allowance::Full);
    assert_eq!(life.at(1.0, Input::Message), [Effect::Deliver, Effect::SendHeartbeat]);
    assert_eq!(life.at(60.0, Input::Time), [Effect::SendHeartbeat]);
    assert_eq!(life.due(), Some(61.0), "and nothing but a heartbeat is due");
    assert_eq!(life.at(60.5, Input::Delivered), []);
    assert_eq!(life.at(60.5, Input::Message), [Effect::Deliver]);
}

#[test]
fn bye_and_cut_are_told_apart() {
    let bye = Life::up(Allowance::Full).at(0.0, Input::Bye("done".into()));
    let cut = Life::up(Allowance::Full).at(0.0, Input::Broke(End::Cut("reset".into())));
    assert_eq!(bye, ended(End::ByeByPeer("done".into())));
    assert_eq!(cut, ended(End::Cut("reset".into())));
    let ours = Life::up(Allowance::Full).at(0.0, Input::Close("done".into()));
    assert_eq!(ours, [Effect::SendBye("done".into()), Effect::Ended(End::Closed("done".into()))]);
}

#[test]
fn a_stranger_has_one_message_and_five_seconds() {
    let mut life = Life::up(Allowance::OneMessage);
    assert_eq!(life.at(0.1, Input::Message), [Effect::Deliver]);
    life.at(0.2, Input::Delivered);
    let effects = life.at(0.3, Input::Message);
    assert!(matches!(effects[..], [Effect::SendBye(_), Effect::Ended(End::Closed(_))]), "{effects:?}");

    let mut life = Life::up(Allowance::OneMessage);
    for second in 1..5 {
        life.at(f64::from(second), Input::Heartbeat);
    }
    let effects = life.at(5.0, Input::Heartbeat);
    assert!(matches!(effects[..], [Effect::SendBye(_), Effect::Ended(End::Closed(_))]), "{effects:?}");
}

fn input() -> impl Strategy<Value = Input> {
    let versions = || (0..6_u16, 0..6_u16);
    prop_oneof![
        10 => Just(Input::Time),
        1 => any::<bool>().prop_map(|full| {
            Input::Secured(if full { Allowance::Full } else { Allowance::OneMessage })
        }),
        1 => Just(Input::Unsecured(End::Unreachable("no".into()))),
        1 => versions().prop_map(|(oldest, newest)| Input::Hello(hello(oldest, newest))),
        1 => versions().prop_map(|(oldest, newest)| {
            Input::Refused(Refused { reason: "no".into(), their_version: Versions { oldest, newest } })
        }),
        4 => Just(Input::Progress),
        8 => Just(Input::Heartbeat),
        8 => Just(Input::Message),
        8 => Just(Input::Delivered),
        1 => Just(Input::Bye("bye".into())),
        4 => Just(Input::Sent),
        1 => Just(Input::Close("enough".into())),
        1 => Just(Input::Broke(End::Cut("cut".into()))),
    ]
}

proptest! {
    /// Whatever comes, in whatever order: Hello is said first and once, messages are delivered only while it is up,
    /// one at a time, it ends once, and nothing follows.
    #[test]
    fn every_history_is_a_life(
        beginning in prop_oneof![Just(0..0), Just(0..1), Just(1..2), Just(0..2)],
        steps in prop::collection::vec((0..1500_u64, input()), 0..80),
    ) {
        let mut now = Instant::now();
        let mut core = Core::new(now, OURS, Timing::default());
        let (mut greeted, mut up, mut over, mut suspected, mut delivering) = (false, false, false, false, false);
        // Few of the random ones begin as a link should.
        let beginning = [(0, Input::Secured(Allowance::Full)), (0, Input::Hello(hello(1, 2)))][beginning].to_vec();
        let steps = beginning.into_iter().chain(steps);
        for (millis, input) in steps {
            now += Duration::from_millis(millis);
            if input == Input::Delivered && !delivering {
                continue;
            }
            delivering &= input != Input::Delivered;
            let mut effects = Vec::new();
            core.handle(now, input, &mut effects);
            for effect in effects {
                prop_assert!(!over, "{effect:?} after the end");
                match effect {
                    Effect::SendHello => {
                        prop_assert!(!greeted);
                        greeted = true;
                    }
                    Effect::Up { version, .. } => {
                        prop_assert!(greeted && !up);
                        prop_assert!((OURS.oldest..=OURS.newest).contains(&version));
                        up = true;
                    }
                    Effect::Deliver => {
                        prop_assert!(up && !delivering);
                        delivering = true;
                    }
                    Effect::SendHeartbeat | Effect::SendBye(_) => prop_assert!(up),
                    Effect::SendRefused(_) => prop_assert!(greeted && !up),
                    Effect::Suspected => {
                        prop_assert!(up && !suspected);
                        suspected = true;
                    }
                    Effect::Recovered => {
                        prop_assert!(suspected);
                        suspected = false;
                    }
                    Effect::Ended(_) => over = true,
                }
            }
            prop_assert_eq!(core.is_over(), over);
            prop_assert_eq!(core.deadline().is_none(), over);
            // What is due is done: the core never asks to be woken at a time that has passed.
            if let Some(deadline) = core.deadline() {
                let mut none = Vec::new();
                if deadline <= now {
                    core.handle(now, Input::Time, &mut none);
                    prop_assert!(core.deadline().is_none_or(|deadline| deadline > now));
                    over |= core.is_over();
                    suspected |= none.contains(&Effect::Suspected);
                }
            }
        }
    }

    /// A peer that says nothing more is given up within the longest wait, whatever was before.
    #[test]
    fn a_silent_peer_is_always_given_up(steps in prop::collection::vec((0..900_u64, input()), 0..40)) {
        let mut now = Instant::now();
        let mut core = Core::new(now, OURS, Timing::default());
        let mut effects = Vec::new();
        for (millis, input) in steps {
            now += Duration::from_millis(millis);
            core.handle(now, input, &mut effects);
        }
        core.handle(now, Input::Delivered, &mut effects);
        let silent_since = now;
        while let Some(deadline) = core.deadline() {
            prop_assert!(deadline <= silent_since + Duration::from_secs(10));
            now = now.max(deadline);
            core.handle(now, Input::Time, &mut effects);
        }
        prop_assert!(matches!(effects.last(), Some(Effect::Ended(_))));
    }
}
