//! The real runner and the real `peerd`: tests run on other machines.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;
mod support;

use std::path::Path;
use std::process::Command;

use machine::Machine;
use support::{Fixture, RUNNER, Ran};

/// A machine that works, and one that runs tests; each trusts the other.
fn two() -> (Machine, Machine) {
    let (peer, own) = (Machine::new(), Machine::new());
    peer.done(&["approve", &own.pem()]);
    own.done(&["approve", &peer.pem()]);
    peer.start(&[]);
    (peer, own)
}

fn runner(own: &Machine, root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(RUNNER);
    command
        .arg("--root")
        .arg(root)
        .args(["--no-config", "--exit-after-n-failures=0"])
        .args(args)
        .env("FLOTILLA_HOME", own.path(""))
        .env_remove("LD_LIBRARY_PATH");
    command
}

#[test]
fn the_demo_is_green_on_a_peers_built_in_shell() {
    let (peer, own) = two();
    let address = peer.ports().unwrap().work.to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo");
    let here = Ran(runner(&own, &root, &[]).output().unwrap());
    for _ in 0..2 {
        let there = Ran(runner(&own, &root, &["--local-jobs=0", "--peer", &address]).output().unwrap());
        assert_eq!(there.code(), Some(0), "{}", there.all());
        let count = |ran: &Ran| {
            let out = ran.stdout();
            let line = out.lines().find(|line| line.contains(" tests ran in ")).unwrap().to_owned();
            line.split(' ').next().unwrap().to_owned()
        };
        assert_eq!(count(&there), count(&here));
        assert!(there.stdout().contains(&format!("0 tests ran on this machine, {} on", count(&here))));
    }
    // Who asked for what is in its log.
    let begins = format!("work of {} begins: ", own.name());
    let log = peer.log();
    let told = log.lines().find(|line| line.contains(&begins)).unwrap();
    assert!(told.contains(" tests so far, for the built-in shell"), "{told}");
    // The second run found all inputs there.
    let again = Ran(runner(&own, &root, &["--local-jobs=0", "--peer", &address]).output().unwrap());
    assert!(again.stdout().contains("takes part: 0 bytes sent"), "{}", again.all());
}

#[test]
fn a_peer_that_is_killed_amid_a_run_costs_no_verdict() {
    let (peer, own) = two();
    let address = peer.ports().unwrap().work.to_string();
    let tree = Fixture::new();
    for number in 0..40 {
        tree.test(&format!("a{number}"), "sleep 0.1");
    }
    let mut command =
        runner(&own, &tree.root(), &["-j1", "--variants=default", "--peer", &address, "-p", "stream"]);
    command.env("FIXTURE", tree.root()).args(["--env", "FIXTURE"]);
    let child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    support::until("the peer runs a test", || peer.log().contains("begins") && tree.processes().len() > 2);
    peer.send(rustix::process::Signal::KILL);
    let ran = Ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(ran.stdout().contains("40 tests ran"), "{}", ran.all());
    support::until("nothing is left", || tree.processes().is_empty());
}
