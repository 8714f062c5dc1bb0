//! `runner --home`: the same identity as `peerd`'s, and a daemon that is not ours.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;
mod support;

use std::fs;

use machine::Machine;
use support::{Fixture, Ran};

fn run(fixture: &Fixture, machine: &Machine) -> Ran {
    Ran(fixture.command(&["--home", machine.path("").to_str().unwrap()]).output().unwrap())
}

#[test]
fn a_daemon_of_another_identity_is_named_and_the_tests_run_all_the_same() {
    let fixture = Fixture::with(&[("a", "exit 0")]);
    let (ours, theirs) = (Machine::new(), Machine::running());
    fs::copy(theirs.path("data/peerd.ports"), ours.path("data/peerd.ports")).unwrap();
    let ran = run(&fixture, &ours);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    let said = ran.stderr();
    let local = theirs.ports().unwrap().local.to_string();
    for part in [&*local, "another identity", &ours.name(), &theirs.name(), "all tests run on this machine"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn the_daemon_of_our_own_identity_and_a_daemon_that_has_gone_need_no_word() {
    let fixture = Fixture::with(&[("a", "exit 0")]);
    let machine = Machine::running();
    let ports = fs::read(machine.path("data/peerd.ports")).unwrap();
    assert_eq!(run(&fixture, &machine).stderr(), "");
    machine.done(&["stop"]);
    assert_eq!(run(&fixture, &machine).stderr(), "");
    fs::write(machine.path("data/peerd.ports"), ports).unwrap();
    assert_eq!(run(&fixture, &machine).stderr(), "", "a file of a daemon that was killed");
}

#[test]
fn a_home_without_identity_is_said_to_whoever_names_it() {
    let fixture = Fixture::with(&[("a", "exit 0")]);
    let ran = run(&fixture, &Machine::bare());
    assert_eq!(ran.code(), Some(0));
    assert!(ran.stderr().contains("peerd setup"), "{}", ran.all());
    assert_eq!(fixture.run(&[]).stderr(), "", "and to nobody else");
}
