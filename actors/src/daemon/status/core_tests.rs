//! Named situations.

use flotilla_messages::port::local::LinkView;
use flotilla_messages::port::status::{LARGEST_TO_STRANGERS, Load, MOST_ISSUERS, Serial, StatusMessage};
use flotilla_messages::wire::Hello;

use super::core::{Core, Effect, Input};
use super::simulation::{address, close_order, closed, key, statement};
use crate::net::link::{Allowance, End, LinkId};
use crate::trust::TrustOrder;

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
    assert_eq!(one.input(Input::Order(order)), [Effect::Send { link: THEIRS, message }]);
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
    assert_eq!(up[0], Effect::Send { link: THEIRS, message: load.clone() });
    let effects = one.says(THEIRS, load);
    assert_eq!(effects[0], Effect::Send { link: THEIRS, message: StatusMessage::TrustYouNow(large) });
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
    let said = |message| [Effect::Send { link: THEIRS, message }];
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
