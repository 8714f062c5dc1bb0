//! Named situations, and random ones against a simple model.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::statement::{LIFETIME, SKEW, SignedStatement, Statement, StatementError};
use proptest::prelude::*;

use super::core::{Core, Effect, Input, MOST_STRANGERS, Policy, RENEWAL, State, TrustRecord};
use super::obstacle::Obstacle;
use super::refusal::Refusal;

const NOW: u64 = 1_700_000_000;
const HOUR: u64 = 60 * 60;

fn secret(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n + 1; 32])
}

fn name(n: u8) -> Fingerprint {
    Fingerprint::of(&secret(n).verifying_key())
}

fn says(n: u8, serial: u64, issued: u64, approvals: &[u8]) -> SignedStatement {
    let approvals = approvals.iter().map(|n| name(*n));
    Statement::new(secret(n).verifying_key(), serial, issued, approvals).sign(&secret(n)).unwrap()
}

/// The core of key 0 with a disk that does what it is told.
struct Host {
    core: Core,
    policy: Policy,
    approvals: BTreeMap<Fingerprint, ed25519_dalek::VerifyingKey>,
    barred: BTreeSet<Fingerprint>,
    statements: BTreeMap<Fingerprint, SignedStatement>,
    /// CommandOutcome by [`Effect::Trust`] and [`Effect::Distrust`].
    told: BTreeSet<Fingerprint>,
    live: BTreeSet<Fingerprint>,
}

impl Host {
    fn new(policy: Policy) -> Self {
        let core = Core::new(secret(0).verifying_key(), policy, State::default());
        let mut host = Self {
            core,
            policy,
            approvals: BTreeMap::new(),
            barred: BTreeSet::new(),
            statements: BTreeMap::new(),
            told: BTreeSet::new(),
            live: BTreeSet::new(),
        };
        host.hear(NOW, Input::Tick);
        host
    }

    /// With 1 approved, which approves 2, which approves 3.
    fn with_chain() -> Self {
        let mut host = Self::new(Policy::default());
        host.hear(NOW, Input::Approve(secret(1).verifying_key()));
        host.statement(NOW, says(1, 1, NOW, &[2]));
        host.statement(NOW, says(2, 1, NOW, &[3]));
        host
    }

    fn statement(&mut self, now: u64, statement: SignedStatement) -> Vec<Effect> {
        self.hear(now, Input::Statement { from: None, statement })
    }

    fn hear(&mut self, now: u64, input: Input) -> Vec<Effect> {
        if let Input::LinkDown(key) = &input {
            self.live.remove(key);
        }
        let mut effects = Vec::new();
        self.core.handle(now, input, &mut effects);
        for effect in effects.clone() {
            match effect {
                Effect::Publish(statement) => self.store(statement.sign(&secret(0)).unwrap()),
                Effect::Store(TrustRecord::Statement(statement)) => self.store(statement),
                Effect::Store(TrustRecord::NoStatement(key)) => {
                    assert!(self.statements.remove(&key).is_some());
                }
                Effect::Store(TrustRecord::Approval(key)) => {
                    self.approvals.insert(Fingerprint::of(&key), key);
                }
                Effect::Store(TrustRecord::NoApproval(key)) => assert!(self.approvals.remove(&key).is_some()),
                Effect::Store(TrustRecord::Bar(key)) => assert!(self.barred.insert(key)),
                Effect::Store(TrustRecord::NoBar(key)) => assert!(self.barred.remove(&key)),
                Effect::Trust { key, chain } => {
                    assert_eq!(chain.last(), Some(&key));
                    assert!(self.told.insert(key));
                }
                Effect::Distrust { key, .. } => assert!(self.told.remove(&key)),
                Effect::Introduce(key) => assert!(self.live.insert(key)),
                Effect::Close { key, .. } => {
                    self.live.remove(&key);
                }
                Effect::Push { to, .. } => assert!(to.iter().all(|key| self.live.contains(key))),
                Effect::Fetch { .. } | Effect::TrustedBy(_) | Effect::Refused(_) => {}
            }
        }
        effects
    }

    fn store(&mut self, statement: SignedStatement) {
        let before = self.statements.insert(statement.issuer(), statement.clone());
        assert!(before.is_none_or(|before| before.content().serial < statement.content().serial));
    }

    fn trusted(&self) -> Vec<u8> {
        (0..8).filter(|n| self.core.trusts(&name(*n))).collect()
    }

    /// What a restart reads.
    fn state(&self) -> State {
        State {
            approvals: self.approvals.values().copied().collect(),
            barred: self.barred.iter().copied().collect(),
            statements: self.statements.values().cloned().collect(),
        }
    }
}

fn refusals(effects: &[Effect]) -> Vec<&Refusal> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Refused(refusal) = effect { Some(refusal) } else { None })
        .collect()
}

#[test]
fn trust_spreads_along_a_chain_and_is_shown_with_it() {
    let host = Host::with_chain();
    assert_eq!(host.trusted(), [1, 2, 3]);
    assert_eq!(host.core.chain(&name(3)), Some(vec![name(1), name(2), name(3)]));
}

#[test]
fn a_withdrawal_takes_back_all_that_hung_on_it_and_closes_its_links() {
    let mut host = Host::with_chain();
    for n in 1..=3 {
        host.hear(NOW, Input::LinkUp(name(n)));
    }
    let effects = host.statement(NOW + 1, says(1, 2, NOW + 1, &[]));
    assert_eq!(host.trusted(), [1]);
    for n in [2, 3] {
        assert!(effects.contains(&Effect::Close { key: name(n), reason: Obstacle::NotApproved }));
    }
    assert_eq!(host.live, BTreeSet::from([name(1)]));
}

#[test]
fn a_revoked_key_is_barred_however_it_is_reached_until_it_is_approved_again() {
    let mut host = Host::with_chain();
    let effects = host.hear(NOW, Input::Revoke(name(2)));
    assert!(matches!(effects[0], Effect::Store(TrustRecord::Bar(_))), "the bar comes first: {effects:?}");
    assert_eq!(host.trusted(), [1]);
    let effects = host.statement(NOW, says(1, 2, NOW, &[2, 3]));
    assert!(refusals(&effects).is_empty());
    assert_eq!(host.trusted(), [1, 3]);
    assert_eq!(refusals(&host.statement(NOW, says(2, 2, NOW, &[4]))), [&Refusal::Barred(name(2))]);
    let effects = host.hear(NOW, Input::LinkUp(name(2)));
    assert_eq!(effects, [Effect::Close { key: name(2), reason: Obstacle::Barred }]);
    host.hear(NOW, Input::Approve(secret(2).verifying_key()));
    assert_eq!(host.trusted(), [1, 2, 3]);
    assert_eq!(host.core.chain(&name(2)), Some(vec![name(2)]));
}

#[test]
fn each_change_of_ones_own_approvals_is_published_with_a_higher_serial() {
    let mut host = Host::new(Policy::default());
    let first = host.core.issued().unwrap().serial;
    host.hear(NOW, Input::Approve(secret(1).verifying_key()));
    assert_eq!(host.core.issued().unwrap().approvals, [name(1)]);
    assert!(host.hear(NOW, Input::Approve(secret(1).verifying_key())).is_empty(), "nothing new");
    host.hear(NOW, Input::Revoke(name(1)));
    assert_eq!(host.core.issued().unwrap().approvals, []);
    assert_eq!(host.core.issued().unwrap().serial, first + 2);
    let effects = host.hear(NOW + RENEWAL, Input::Tick);
    assert!(matches!(&effects[..], [Effect::Publish(renewed)] if renewed.issued == NOW + RENEWAL));
}

#[test]
fn a_lower_serial_is_refused_and_the_same_with_other_content_is_said() {
    let mut host = Host::with_chain();
    host.statement(NOW, says(1, 5, NOW, &[2, 4]));
    let old = host.statement(NOW, says(1, 4, NOW, &[2, 7]));
    assert_eq!(refusals(&old), [&Refusal::Older { issuer: name(1), serial: 4, held: 5 }]);
    let other = host.statement(NOW, says(1, 5, NOW, &[2, 7]));
    assert_eq!(refusals(&other), [&Refusal::TwoWithOneSerial { issuer: name(1), serial: 5 }]);
    assert!(host.statement(NOW, says(1, 5, NOW, &[2, 4])).is_empty(), "the same again");
    assert_eq!(host.trusted(), [1, 2, 3, 4]);
}

#[test]
fn a_key_that_lost_trust_cannot_come_back_by_an_old_statement() {
    let mut host = Host::with_chain();
    host.statement(NOW, says(2, 9, NOW, &[]));
    host.hear(NOW, Input::Revoke(name(1)));
    assert_eq!(host.trusted(), Vec::<u8>::new());
    host.hear(NOW, Input::Approve(secret(1).verifying_key()));
    assert_eq!(refusals(&host.statement(NOW, says(2, 1, NOW, &[3]))).len(), 1);
    assert_eq!(host.trusted(), [1, 2]);
    // Neither after a restart.
    let mut again = Core::new(secret(0).verifying_key(), host.policy, host.state());
    let mut effects = Vec::new();
    again.handle(NOW, Input::Statement { from: None, statement: says(2, 1, NOW, &[3]) }, &mut effects);
    assert!(!again.trusts(&name(3)));
}

#[test]
fn trust_ends_with_the_statement_it_rests_on() {
    let mut host = Host::with_chain();
    host.hear(NOW, Input::LinkUp(name(3)));
    host.statement(NOW + HOUR, says(1, 2, NOW + HOUR, &[2]));
    // Own renewals aside, the next turn is the end of what 2 said.
    assert_eq!(host.core.deadline(NOW + LIFETIME - 1), Some(NOW + LIFETIME));
    let effects = host.hear(NOW + LIFETIME, Input::Tick);
    assert_eq!(host.trusted(), [1, 2]);
    assert!(
        effects.contains(&Effect::Close { key: name(3), reason: Obstacle::Stale(name(2)) }),
        "{effects:?}"
    );
    host.hear(NOW + HOUR + LIFETIME, Input::Tick);
    assert_eq!(host.trusted(), [1], "an approval of one's own does not expire");
}

#[test]
fn a_statement_from_too_far_in_the_future_is_refused() {
    let mut host = Host::with_chain();
    let early = host.statement(NOW, says(1, 2, NOW + SKEW + 1, &[4]));
    assert!(matches!(refusals(&early)[..], [Refusal::Time(_)]));
    host.statement(NOW, says(1, 2, NOW + SKEW, &[2, 4]));
    assert_eq!(host.trusted(), [1, 2, 3, 4]);
}

/// Regression: the original's hosts asked one another for keys without end, so that a key could vouch for itself by
/// way of others.
#[test]
fn approvals_in_a_loop_end_and_hold_nobody_up() {
    let mut host = Host::new(Policy::default());
    host.hear(NOW, Input::Approve(secret(1).verifying_key()));
    host.statement(NOW, says(1, 1, NOW, &[1, 2]));
    let effects = host.statement(NOW, says(2, 1, NOW, &[0, 1, 2]));
    assert!(refusals(&effects).is_empty(), "odd, but theirs to say: {effects:?}");
    assert_eq!(host.trusted(), [1, 2]);
    assert_eq!(host.core.chain(&name(1)), Some(vec![name(1)]), "not by way of 2");
    assert_eq!(host.core.chain(&name(2)), Some(vec![name(1), name(2)]), "not by itself");
    let own = host.core.standings(NOW).into_iter().find(|standing| standing.key == name(0));
    assert_eq!(own, None, "the own key is no peer, whoever approves it");
    host.statement(NOW, says(5, 1, NOW, &[0, 5]));
    assert_eq!(host.trusted(), [1, 2], "a stranger's word for itself counts for nothing");
    host.statement(NOW, says(1, 2, NOW, &[1]));
    assert_eq!(host.trusted(), [1], "2 is approved by itself alone now");
    host.statement(NOW, says(1, 3, NOW, &[1, 2]));
    host.hear(NOW, Input::Revoke(name(1)));
    assert_eq!(host.trusted(), [] as [u8; 0], "2 and itself still say that 1 and 2 are good");
}

#[test]
fn an_expired_statement_is_refused_whatever_its_serial() {
    let mut host = Host::with_chain();
    let late = host.statement(NOW, says(1, 9, NOW - LIFETIME, &[2, 4]));
    assert!(
        matches!(refusals(&late)[..], [Refusal::Time(StatementError::Expired { expires: NOW, .. })]),
        "{late:?}"
    );
    assert_eq!(late.len(), 1, "nothing is stored and nothing sent on: {late:?}");
    assert_eq!(host.trusted(), [1, 2, 3]);
    assert!(
        refusals(&host.statement(NOW, says(1, 2, NOW, &[2]))).is_empty(),
        "its serial does not count either"
    );
}

#[test]
fn depth_and_switching_chains_off_are_obeyed_at_once() {
    let mut host = Host::with_chain();
    let mut with = |transitive, depth| {
        host.hear(NOW, Input::Policy(Policy { transitive, depth }));
        let standing = host.core.standings(NOW).into_iter().find(|standing| standing.key == name(3));
        (host.trusted(), standing.unwrap().trust.err())
    };
    assert_eq!(with(true, 2), (vec![1, 2], Some(Obstacle::TooDeep { keys: 3, limit: 2 })));
    assert_eq!(with(false, 9), (vec![1], Some(Obstacle::ChainsOff)));
    assert_eq!(with(true, 3), (vec![1, 2, 3], None));
}

#[test]
fn strangers_are_not_heard_but_for_that_they_trust_us() {
    let mut host = Host::with_chain();
    assert_eq!(refusals(&host.statement(NOW, says(5, 1, NOW, &[6]))), [&Refusal::Stranger(name(5))]);
    let effects = host.statement(NOW, says(5, 1, NOW, &[0, 6]));
    assert_eq!(effects, [Effect::TrustedBy(name(5))], "and nothing is stored");
    assert_eq!(host.trusted(), [1, 2, 3]);
    let standings = host.core.standings(NOW);
    let of = |n| standings.iter().find(|standing| standing.key == name(n)).unwrap();
    assert_eq!(of(5).trust, Err(Obstacle::NotApproved));
    assert_eq!(of(5).trusts_me, Some(vec![name(0)]));
    assert_eq!(of(2).trusts_me, None);
    host.hear(NOW, Input::Approve(secret(5).verifying_key()));
    assert_eq!(host.trusted(), [1, 2, 3, 5, 6], "now what it said counts");
}

#[test]
fn a_crowd_of_strangers_is_bounded() {
    let mut host = Host::with_chain();
    for n in 10..=200 {
        host.statement(NOW, says(n, 1, NOW, &[0]));
    }
    assert_eq!(host.core.strangers.len(), MOST_STRANGERS);
    assert_eq!(host.statements.len(), 3);
}

#[test]
fn who_trusts_us_is_shown_with_the_chain() {
    let mut host = Host::with_chain();
    host.statement(NOW, says(2, 2, NOW, &[0, 3]));
    let standings = host.core.standings(NOW);
    let of = |n| standings.iter().find(|standing| standing.key == name(n)).unwrap().trusts_me.clone();
    assert_eq!(of(2), Some(vec![name(0)]));
    assert_eq!(of(1), Some(vec![name(2), name(0)]));
    assert_eq!(of(3), None);
}

#[test]
fn new_statements_go_on_to_the_others_and_newer_ones_are_asked_for() {
    let mut host = Host::with_chain();
    for n in 1..=3 {
        assert_eq!(host.hear(NOW, Input::LinkUp(name(n))), [Effect::Introduce(name(n))]);
    }
    let statement = says(1, 2, NOW, &[2]);
    let effects = host.hear(NOW, Input::Statement { from: Some(name(2)), statement: statement.clone() });
    assert!(effects.contains(&Effect::Push { to: vec![name(3)], statement }), "{effects:?}");
    let announced = |issuer, serial| Input::Announced { issuer: name(issuer), serial };
    assert_eq!(host.hear(NOW, announced(1, 3)), [Effect::Fetch { issuer: name(1), from: None }]);
    assert_eq!(host.hear(NOW, announced(1, 2)), []);
    assert_eq!(host.hear(NOW, announced(6, 9)), [], "of no interest");
    let serials = vec![(name(1), 2), (name(2), 8), (name(2), 8), (name(6), 1)];
    let effects = host.hear(NOW, Input::Listed { from: name(3), serials });
    assert_eq!(effects, [Effect::Fetch { issuer: name(2), from: Some(name(3)) }]);
}

#[test]
fn a_statement_of_ones_own_key_made_elsewhere_is_outbid_but_not_all_day() {
    let mut host = Host::with_chain();
    let foreign = NOW + 10 * HOUR;
    let effects = host.statement(NOW + 2 * HOUR, says(0, foreign, NOW, &[6]));
    assert_eq!(refusals(&effects), [&Refusal::OwnKeyElsewhere { serial: foreign }]);
    assert_eq!(host.core.issued().unwrap().serial, foreign + 1);
    assert_eq!(host.trusted(), [1, 2, 3], "it approves nobody");
    let effects = host.statement(NOW + 2 * HOUR, says(0, foreign + 5, NOW, &[6]));
    assert!(matches!(&effects[..], [Effect::Refused(_)]), "{effects:?}");
    assert!(host.statement(NOW, says(0, 1, NOW, &[6])).is_empty(), "long gone");
    host.statement(NOW + 4 * HOUR, says(0, u64::MAX, NOW, &[]));
    host.hear(NOW + 4 * HOUR, Input::Revoke(name(1)));
    assert_eq!(host.trusted(), [] as [u8; 0], "even if it cannot be published any more");
}

#[test]
fn ones_own_key_is_neither_approved_nor_revoked() {
    let mut host = Host::new(Policy::default());
    let own = Refusal::OwnKey(name(0));
    assert_eq!(refusals(&host.hear(NOW, Input::Approve(secret(0).verifying_key()))), [&own]);
    assert_eq!(refusals(&host.hear(NOW, Input::Revoke(name(0)))), [&own]);
}

#[test]
fn several_things_within_one_second_all_take_effect() {
    let mut host = Host::with_chain();
    host.hear(NOW, Input::Tick);
    host.statement(NOW, says(1, 2, NOW, &[4]));
    assert_eq!(host.trusted(), [1, 4]);
    host.hear(NOW, Input::Revoke(name(4)));
    assert_eq!(host.trusted(), [1]);
    host.hear(NOW, Input::Approve(secret(4).verifying_key()));
    assert_eq!(host.trusted(), [1, 4]);
}

#[test]
fn what_nobody_needs_any_more_is_forgotten() {
    let mut host = Host::with_chain();
    host.statement(NOW, says(1, 2, NOW, &[]));
    host.hear(NOW + 2 * LIFETIME + SKEW - 1, Input::Tick);
    assert!(host.statements.contains_key(&name(2)));
    host.hear(NOW + 2 * LIFETIME + SKEW, Input::Tick);
    assert!(!host.statements.contains_key(&name(2)));
    assert!(host.statements.contains_key(&name(1)), "of a trusted key");
}

/// What happens in the random situations; keys are 0 to 5, 0 is the host.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Approve(u8),
    Revoke(u8),
    Says { issuer: u8, serial: u64, ago: u64, approvals: Vec<u8> },
    Up(u8),
    Down(u8),
    Policy(bool, u32),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 1..6u8;
    let statement = (key(), 0..6u64, 0..3 * RENEWAL, proptest::collection::vec(0..6u8, 0..4))
        .prop_map(|(issuer, serial, ago, approvals)| Step::Says { issuer, serial, ago, approvals });
    let step = prop_oneof![
        2 => (0..3 * RENEWAL).prop_map(Step::Wait),
        3 => key().prop_map(Step::Approve),
        1 => key().prop_map(Step::Revoke),
        8 => statement,
        3 => key().prop_map(Step::Up),
        1 => key().prop_map(Step::Down),
        1 => (any::<bool>(), 0..5u32).prop_map(|(transitive, depth)| Step::Policy(transitive, depth)),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..40)
}

/// The set that is trusted, computed from scratch and in another way: by rounds over the whole graph.
fn model(host: &Host, now: u64) -> BTreeSet<Fingerprint> {
    let allowed = |key: &Fingerprint| *key != name(0) && !host.barred.contains(key);
    let mut trusted: BTreeSet<_> = host.approvals.keys().copied().filter(allowed).collect();
    let rounds = if host.policy.transitive { host.policy.depth.max(1) } else { 1 };
    for _ in 1..rounds {
        let said = host.statements.values().filter(|said| trusted.contains(&said.issuer()));
        let valid = said.filter(|said| now < said.content().expires && said.content().issued <= now + SKEW);
        let more: Vec<_> = valid.flat_map(|said| said.content().approvals.clone()).filter(allowed).collect();
        trusted.extend(more);
    }
    trusted
}

proptest! {
    #[test]
    fn trust_is_always_what_follows_from_approvals_bars_and_valid_statements(steps in steps()) {
        let mut host = Host::new(Policy::default());
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Wait(seconds) => {
                    now += seconds;
                    host.hear(now, Input::Tick);
                }
                Step::Approve(n) => {
                    host.hear(now, Input::Approve(secret(n).verifying_key()));
                    prop_assert!(host.core.trusts(&name(n)));
                }
                Step::Revoke(n) => {
                    host.hear(now, Input::Revoke(name(n)));
                    prop_assert!(!host.core.trusts(&name(n)));
                }
                Step::Says { issuer, serial, ago, approvals } => {
                    let (before, held) = (host.core.trusts(&name(issuer)), host.statements.get(&name(issuer)).cloned());
                    let statement = says(issuer, serial, now - ago, &approvals);
                    host.statement(now, statement.clone());
                    let newer = held.is_none_or(|held| held.content().serial < serial);
                    if before && newer {
                        prop_assert_eq!(host.core.held(&name(issuer)), Some(&statement));
                    }
                }
                Step::Up(n) => {
                    host.hear(now, Input::LinkUp(name(n)));
                }
                Step::Down(n) => {
                    host.hear(now, Input::LinkDown(name(n)));
                }
                Step::Policy(transitive, depth) => {
                    host.policy = Policy { transitive, depth };
                    host.hear(now, Input::Policy(host.policy));
                }
                Step::Restart => {
                    host.core = Core::new(secret(0).verifying_key(), host.policy, host.state());
                    host.told.clear();
                    host.live.clear();
                    host.hear(now, Input::Tick);
                }
            }
            let wanted = model(&host, now);
            prop_assert_eq!(host.core.trusted().copied().collect::<BTreeSet<_>>(), wanted.clone());
            prop_assert_eq!(&host.told, &wanted, "trust that was gained and lost adds up");
            prop_assert!(host.live.is_subset(&wanted), "no link to a key that is not trusted");
            let issued = host.core.issued().unwrap();
            prop_assert!(issued.approvals.iter().eq(host.approvals.keys().filter(|key| !host.barred.contains(key))));
            prop_assert!(now < issued.issued + RENEWAL);
            prop_assert_eq!(host.statements[&name(0)].content(), issued);
            for standing in host.core.standings(now) {
                prop_assert_eq!(standing.trust.is_ok(), wanted.contains(&standing.key));
                let Ok(chain) = standing.trust else { continue };
                prop_assert!(host.approvals.contains_key(&chain[0]));
                for pair in chain.windows(2) {
                    prop_assert!(host.statements[&pair[0]].approves(&pair[1]));
                }
            }
        }
    }
}
