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
        .env("XDG_CACHE_HOME", own.path("cache"))
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
fn a_fresh_build_learns_durations_from_the_own_daemon_even_after_its_restart() {
    let own = Machine::running();
    let scripts = [("a", "exit 0"), ("b", "sleep 0.4"), ("c", "sleep 0.2"), ("d", "exit 0")];
    let placed = |tree: &Fixture| {
        let ran =
            Ran(runner(&own, &tree.root(), &["-j1", "--variants=default", "--explain"]).output().unwrap());
        assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{}", ran.all());
        let name = |line: &str| Some(line.strip_prefix("placed: mjsunit/")?.split(' ').next()?.to_owned());
        ran.stdout().lines().filter_map(name).collect::<Vec<_>>()
    };
    assert_eq!(placed(&Fixture::with(&scripts)), ["a", "b", "c", "d"]);
    // Another tree, with a history of its own: none.
    assert_eq!(placed(&Fixture::with(&scripts))[..2], ["b", "c"]);
    own.done(&["stop"]);
    assert_eq!(placed(&Fixture::with(&scripts)), ["a", "b", "c", "d"]);
    own.start(&[]);
    assert_eq!(placed(&Fixture::with(&scripts))[..2], ["b", "c"]);
}

/// V8's NetworkedRunner.Run returned `not self.failed` as an exit code: 1 for success.
#[test]
fn the_exit_code_of_a_networked_run_is_not_inverted_and_reports_agree() {
    let (peer, own) = two();
    let address = peer.ports().unwrap().work.to_string();
    let tree = Fixture::with(&[("a", "exit 0"), ("b", "sleep 0.1")]);
    for (failing, code) in [(false, 0), (true, 1)] {
        if failing {
            tree.test("c", "sleep 0.2; exit 1");
        }
        let file = tree.path("r.json");
        let args =
            ["--local-jobs=0", "--variants=default", "-pverbose", "--explain", "--peer", &address, "--peer"];
        let more = ["127.0.0.1:1", "--json-test-results", file.to_str().unwrap()];
        let ran = Ran(runner(&own, &tree.root(), &[&args[..], &more].concat()).output().unwrap());
        assert_eq!(ran.code(), Some(code), "{}", ran.all());
        let results = support::json(&file);
        assert_eq!(results["results"].as_array().unwrap().len(), usize::from(failing), "{results:#}");
        let slowest = results["slowest_tests"].as_array().unwrap();
        for test in slowest {
            assert_eq!(test["peer"], address.as_str());
            let [queued, transfer, ran] =
                ["queued", "transfer", "duration"].map(|part| test[part].as_f64().unwrap());
            assert!(
                queued > 0.0 && transfer > 0.0 && ran > 0.0 && queued + transfer + ran < 60.0,
                "{test:#}"
            );
        }
        let out = ran.stdout();
        let count = slowest.len();
        let line = out.lines().find(|line| line.starts_with("0 tests ran on this machine, ")).unwrap();
        assert!(line.starts_with(&format!("0 tests ran on this machine, {count} on {address} (")), "{line}");
        assert!(line.ends_with(" sent)."), "{line}");
        assert!(out.contains("\n127.0.0.1:1 was not used: "), "{out}");
        assert!(out.contains(&format!("placed: mjsunit/a (default) on {address}: ")), "{out}");
        assert!(out.contains(&format!("mjsunit/a default: pass (on {address})")), "{out}");
        assert_eq!(out.contains(&format!("It ran on {address}. Queued ")), failing, "{out}");
    }
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
