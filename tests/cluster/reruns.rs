//! Tests that fail are run again where peers run tests as well: the same verdicts, and this machine has the last word.

use flotilla_actors::run::scheduler::Reruns;
use flotilla_messages::{EventKind, Place};

use crate::run::{Ran, cluster, open, options, peers};
use crate::support::Fixture;

fn reruns(count: u32) -> Reruns {
    Reruns { count, most_tests: 100 }
}

#[actix_rt::test]
async fn what_fails_on_a_peer_alone_is_flaky_and_this_machine_says_so() {
    let fixture = Fixture::new();
    for number in 0..60 {
        // Passes in its own tree only.
        fixture.test(&format!("a{number}"), "sleep 0.03; [ \"$PWD\" = \"$FIXTURE\" ]");
    }
    let tree = open(&fixture, 60);
    let cluster = cluster(2).await;
    let mut options = options(&fixture.root(), 1, Some(peers(&cluster, &tree, &[1])));
    options.reruns = reruns(1);
    let ran = Ran::of(options, &tree).await;
    let counts = ran.summary().counts;
    assert_eq!(
        (counts.unexpected, counts.expected, ran.summary().exit_code()),
        (0, 60, 0),
        "{:?}",
        ran.notices()
    );
    assert!(counts.flaky > 0, "the peer ran none: {:?}", ran.places());
    let flaky: Vec<_> = ran.reports().filter(|report| report.flaky()).collect();
    assert_eq!(flaky.len() as u64, counts.flaky);
    for report in &flaky {
        let there = Place::Peer("peer1".into());
        assert_eq!((&report.place, &report.earlier[0].place), (&Place::Local, &there), "{}", report.name);
        assert!(report.earlier.len() == 1 && report.attempt == report.earlier[0].attempt + 1);
    }
    let again = ran.events().filter(|event| matches!(event, EventKind::Again(_))).count();
    assert_eq!(again as u64, counts.flaky);
    // Each was run again when no other was waiting.
    assert_eq!(ran.places(), [("here".to_owned(), 60)].into());
    cluster.end().await;
}

#[actix_rt::test]
async fn without_this_machine_another_peer_tries_and_verdicts_are_as_here() {
    let fixture = Fixture::with(&[("fail", "exit 1"), ("good", "exit 0"), ("crash", "kill -SEGV $$")]);
    let tree = open(&fixture, 60);
    let cluster = cluster(3).await;
    let mut here = options(&fixture.root(), 1, None);
    here.reruns = reruns(2);
    let here = Ran::of(here, &tree).await;
    let mut there = options(&fixture.root(), 0, Some(peers(&cluster, &tree, &[1, 2])));
    there.reruns = reruns(2);
    let there = Ran::of(there, &tree).await;
    assert_eq!((there.verdicts(), there.summary().counts), (here.verdicts(), here.summary().counts));
    for ran in [&here, &there] {
        for report in ran.reports() {
            let attempts: Vec<u32> = report.attempts().map(|one| one.attempt).collect();
            let expected = if report.as_expected { vec![1] } else { vec![1, 2, 3] };
            assert_eq!(attempts, expected, "{}", report.name);
        }
    }
    cluster.end().await;
}
