//! One fault each.

use flotilla_messages::for_tests::skipped;
use rustix::process::Signal;

use crate::fleet::{Fleet, freeze};
use crate::run::Run;
use crate::support::until;
use crate::trees::{Known, WRITES};
use crate::wire::Lossy;

/// Tests that are enough for some seconds.
const TESTS: usize = 140;
/// Verdicts after which a run is under way.
const UNDER_WAY: usize = 20;

/// These wait until a silence is noticed, each on a network of its own: together they take no longer than one of them.
#[test]
fn silence_of_any_machine_costs_nothing() {
    const SCENES: [(&str, fn()); 4] = [
        ("a peer stands still", a_peer_that_stands_still_costs_nothing_and_goes_on_later),
        ("a peer's cable", a_peer_whose_cable_is_pulled_out_costs_nothing_and_is_back_with_it),
        ("the runner's cable", a_runner_whose_own_cable_is_pulled_out_does_the_rest_alone),
        ("the runner sleeps", a_runner_that_sleeps_until_its_peers_have_given_it_up_gets_all_its_verdicts),
    ];
    // Who fails is named by its thread. All are waited for, and the scope panics if one did.
    std::thread::scope(|scope| {
        for (name, scene) in SCENES {
            std::thread::Builder::new().name(name.into()).spawn_scoped(scope, scene).unwrap();
        }
    });
}

#[test]
fn a_peer_that_is_killed_costs_nothing() {
    let Some(fleet) = Fleet::start() else { return };
    let known = Known::mixed(TESTS);
    let mut run = fleet.run(&known);
    run.amid(&fleet.all(), UNDER_WAY);
    let victim = &fleet.peers[0];
    victim.machine.send(Signal::KILL);
    let ended = run.end();
    ended.is_right(&known);
    ended.said(&[&victim.address, "is lost"]);
    victim.start_again();
    fleet.is_well(&known);
}

#[test]
fn a_runner_that_is_killed_leaves_nothing_on_any_machine_and_the_peers_are_free() {
    let Some(fleet) = Fleet::start() else { return };
    // None of these ends by itself.
    let endless = Known::of(30, "setsid sleep 1000 & sleep 1000");
    let mut run = fleet.run(&endless);
    run.amid(&fleet.all(), 0);
    // Nine at a time, of three processes each.
    until("tests run everywhere", || endless.tree.processes().len() > 20);
    run.kill();
    assert_eq!(run.end().status.code(), None);
    fleet.is_well(&endless);
    let known = Known::mixed(TESTS / 2);
    fleet.run(&known).end().is_right(&known);
}

fn a_peer_that_stands_still_costs_nothing_and_goes_on_later() {
    let Some(fleet) = Fleet::start() else { return };
    let known = Known::mixed(TESTS);
    let mut run = fleet.run(&known);
    run.amid(&fleet.all(), UNDER_WAY);
    let victim = &fleet.peers[1];
    freeze(victim, true);
    run.end().is_right(&known);
    freeze(victim, false);
    fleet.is_well(&known);
}

fn a_peer_whose_cable_is_pulled_out_costs_nothing_and_is_back_with_it() {
    let Some(fleet) = Fleet::start() else { return };
    let known = Known::mixed(TESTS);
    let mut run = fleet.run(&known);
    run.amid(&fleet.all(), UNDER_WAY);
    let (victim, other) = (&fleet.peers[2], &fleet.peers[3]);
    fleet.bridge.plug(&victim.name, false);
    // Another one's is out just for as long as it takes to be suspected.
    fleet.bridge.plug(&other.name, false);
    until("it is suspected", || fleet.own.sees(other)["link"] != "up");
    fleet.bridge.plug(&other.name, true);
    run.end().is_right(&known);
    fleet.bridge.plug(&victim.name, true);
    fleet.is_well(&known);
}

fn a_runner_whose_own_cable_is_pulled_out_does_the_rest_alone() {
    let Some(fleet) = Fleet::start() else { return };
    let known = Known::mixed(TESTS / 2);
    let mut run = fleet.run(&known);
    run.amid(&fleet.all(), UNDER_WAY / 2);
    fleet.bridge.plug(&fleet.own.name, false);
    run.end().is_right(&known);
    fleet.bridge.plug(&fleet.own.name, true);
    fleet.is_well(&known);
}

/// As a laptop does whose lid is closed.
fn a_runner_that_sleeps_until_its_peers_have_given_it_up_gets_all_its_verdicts() {
    let Some(fleet) = Fleet::start() else { return };
    let known = Known::mixed(TESTS / 2);
    let mut run = fleet.run(&known);
    run.amid(&fleet.all(), UNDER_WAY / 2);
    run.freeze(true);
    fleet.until_free();
    run.freeze(false);
    run.end().is_right(&known);
    fleet.is_well(&known);
}

#[test]
fn delay_and_loss_cost_nothing() {
    let Some(fleet) = Fleet::start() else { return };
    let slow = match Lossy::new(&fleet.bridge, &fleet.all(), 100, 1.0, 1) {
        Ok(slow) => slow,
        Err(reason) => return skipped(&format!("slow cables: {reason}")),
    };
    // While the cables were changed some may have been silent.
    for peer in &fleet.peers {
        fleet.until_usable(peer);
    }
    let known = Known::mixed(TESTS);
    let mut run = fleet.run(&known);
    run.amid(&fleet.all(), UNDER_WAY);
    let ended = run.end();
    ended.is_right(&known);
    assert!(ended.places.len() >= 4, "{ended:#?}");
    drop(slow);
    fleet.is_well(&known);
}

#[test]
fn a_full_disk_is_no_tests_failure() {
    // The first has no room for the inputs; on the second it ends while tests run.
    let Some(fleet) = Fleet::with_disks(&[Some(6), Some(40), None, None]) else { return };
    let known = Known::of(TESTS, &format!("{WRITES} && sleep 0.1"));
    known.tree.file("test/mjsunit/large.bin", vec![7; 9 << 20]);
    let mut run = fleet.run(&known);
    run.amid(&[&fleet.peers[1], &fleet.peers[2], &fleet.peers[3]], UNDER_WAY);
    fleet.disks[1].fill();
    let ended = run.end();
    ended.is_right(&known);
    ended.said(&[&fleet.peers[0].address, "is not used: ", "space"]);
    fleet.disks[1].clear();
    // There is room for less on the first.
    known.tree.file("test/mjsunit/large.bin", "");
    fleet.is_well(&known);
}

#[test]
fn two_runners_at_once_both_get_all_their_verdicts() {
    let Some(fleet) = Fleet::start() else { return };
    let (one, other) = (Known::mixed(TESTS / 2), Known::mixed(TESTS / 3));
    let runs = [fleet.run(&one), fleet.run(&other)];
    let known = [&one, &other];
    for (run, known) in runs.into_iter().zip(known) {
        run.end().is_right(known);
    }
    fleet.until_clean(&one);
    fleet.until_clean(&other);
    // Both on one peer alone: who comes second waits.
    let args = ["--local-jobs=0", "--peer", &fleet.peers[0].address];
    let runs = known.map(|known| Run::start(&fleet.own, known, &args));
    for (run, known) in runs.into_iter().zip(known) {
        let ended = run.end();
        ended.is_right(known);
        assert_eq!(ended.places[&fleet.peers[0].address], known.verdicts.len());
    }
}
