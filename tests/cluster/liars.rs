//! Runs with peers that are trusted and no good: every test has one verdict, and the run ends with the right code.

use std::sync::Arc;

use flotilla_actors::run::scheduler::ConfirmFailures;
use flotilla_messages::Outcome;
use flotilla_suites::Tree;

use crate::harness::Cluster;
use crate::liar::{Given, Liar, Manner};
use crate::run::{Ran, cluster, open, options, peers};
use crate::support::Fixture;

/// Twenty tests that pass, one that fails, and three that are expected to.
fn tree() -> Fixture {
    let fixture = Fixture::with(&[("fail", "exit 1")]);
    for number in 0..20 {
        fixture.test(&format!("pass{number}"), "exit 0");
    }
    for number in 0..3 {
        fixture.test(&format!("known{number}"), "exit 1");
    }
    fixture.status("[[ALWAYS, {'known*': [FAIL]}]]");
    fixture
}

/// A run with so many jobs here, and these liars; failures of peers are confirmed if so.
async fn ran(
    cluster: &Cluster,
    fixture: &Fixture,
    tree: &Arc<Tree>,
    manners: &[Manner],
    confirm: ConfirmFailures,
) -> Ran {
    let mut to = peers(cluster, tree, &[]);
    let mut liars = Vec::new();
    let given = Given::default();
    for (number, manner) in manners.iter().enumerate() {
        let seed = 100 + number as u8;
        let liar = Liar::listen(seed, cluster.peers[0].fingerprint, *manner, given.clone()).await;
        to.peers.push(liar.target());
        liars.push(liar);
    }
    let mut options = options(&fixture.root(), 1, Some(to));
    options.confirm_failures = confirm;
    Ran::of(options, tree).await
}

/// Each of these alone, and what is said of it.
async fn against(manners: &[Manner], said: Option<&str>) {
    let fixture = tree();
    let tree = open(&fixture, 60);
    let cluster = cluster(1).await;
    let ran = ran(&cluster, &fixture, &tree, manners, ConfirmFailures::Auto).await;
    assert_eq!(ran.summary().exit_code(), 1, "{:?}", ran.notices());
    // One verdict each, and the right ones.
    assert_eq!(ran.verdicts().len(), 24);
    for report in ran.reports() {
        let right = if report.name.name.starts_with("pass") { Outcome::Pass } else { Outcome::Fail };
        assert_eq!(report.outcome, right, "{} on {:?}", report.name, report.place);
    }
    if let Some(said) = said {
        assert!(ran.notices().iter().any(|notice| notice.contains(said)), "{:#?}", ran.notices());
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn a_peer_that_says_ready_for_ever_and_returns_nothing_holds_nothing_up() {
    against(&[Manner::Silent], None).await;
}

#[actix_rt::test]
async fn results_that_come_after_withdrawal_are_not_counted() {
    against(&[Manner::FailsWhatIsWithdrawn], None).await;
}

#[actix_rt::test]
async fn a_peer_that_floods_is_left() {
    against(&[Manner::Floods], Some("it answers for tests that it was not given")).await;
}

#[actix_rt::test]
async fn a_peer_that_gives_back_what_it_gets_is_given_up() {
    against(&[Manner::GivesBack], Some("liar")).await;
}

#[actix_rt::test]
async fn results_for_tests_never_leased_twice_and_of_another_peer_are_not_counted() {
    let fixture = Fixture::new();
    for number in 0..40 {
        fixture.test(&format!("pass{number}"), "sleep 0.01");
    }
    let tree = open(&fixture, 60);
    let cluster = cluster(1).await;
    // Nothing of what they say is confirmed; of each other's tests both say that they failed.
    let manners = [Manner::AnswersForOthers; 2];
    let ran = ran(&cluster, &fixture, &tree, &manners, ConfirmFailures::Off).await;
    assert_eq!(ran.summary().exit_code(), 0, "{:?}", ran.notices());
    assert_eq!(ran.verdicts().len(), 40);
    // They did get tests, and what they said first of them counted.
    assert!(ran.places().contains_key("liar"), "{:?}", ran.places());
    cluster.end().await;
}

/// What protects against it are the tests that are expected to fail: the peer shows itself at the first of them. A test
/// that should have passed and did not is believed to have passed.
#[actix_rt::test]
async fn a_peer_that_answers_every_test_with_pass_is_found_out_by_tests_that_are_expected_to_fail() {
    let fixture = Fixture::new();
    for number in 0..30 {
        fixture.test(&format!("known{number}"), "sleep 0.01; exit 1");
    }
    fixture.status("[[ALWAYS, {'known*': [FAIL]}]]");
    let tree = open(&fixture, 60);
    let cluster = cluster(1).await;
    let ran = ran(&cluster, &fixture, &tree, &[Manner::Passes], ConfirmFailures::Auto).await;
    assert_eq!(ran.summary().exit_code(), 0, "{:?}", ran.notices());
    assert!(ran.reports().all(|report| report.outcome == Outcome::Fail && report.as_expected));
    assert!(ran.notices().iter().any(|notice| notice.contains("liar")), "{:#?}", ran.notices());
    cluster.end().await;
}
