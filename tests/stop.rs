//! Signals, and what is left when the runner goes: nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{Fixture, until};

/// A tree whose second test tells that it runs and then hangs, with a child in its group and one in a session
/// of its own; both hold its output.
fn hanging() -> Fixture {
    let script = "setsid sleep 1000 &\nsleep 1000 &\ntouch \"$FIXTURE/runs\"\nsleep 1000";
    Fixture::with(&[("a-first", "exit 0"), ("b-hang", script), ("c-last", "exit 0")])
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn started(tree: &Fixture) -> Child {
    let child = tree.start(&["-j1"]);
    until("the test hangs", || tree.path("runs").exists());
    child
}

#[test]
fn ctrl_c_ends_the_run_with_a_partial_summary_and_exit_code_3() {
    let tree = hanging();
    let child = started(&tree);
    send(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Interrupted"), "{text}");
    assert!(text.contains("1 test ran"), "{text}");
    assert!(text.contains("2 tests have no verdict"), "{text}");
    until("nothing is left", || tree.processes().is_empty());
}

#[test]
fn sigterm_ends_the_run_with_exit_code_4() {
    let tree = hanging();
    let child = started(&tree);
    send(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    until("nothing is left", || tree.processes().is_empty());
}

#[test]
fn a_second_ctrl_c_kills_at_once() {
    // This test takes no notice of SIGTERM.
    let tree =
        Fixture::with(&[("stubborn", "trap '' TERM\ntouch \"$FIXTURE/runs\"\nsleep 1000\nsleep 1000")]);
    let mut child = tree.start(&["-j1"]);
    until("the test runs", || tree.path("runs").exists());
    let mut text = String::new();
    send(&child, Signal::INT);
    let start = Instant::now();
    send(&child, Signal::INT);
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(start.elapsed() < Duration::from_secs(20));
    until("nothing is left", || tree.processes().is_empty());
}

#[test]
fn no_child_outlives_a_runner_that_is_killed() {
    let tree = hanging();
    let mut child = started(&tree);
    assert!(tree.processes().len() >= 4, "runner, engine and two sleeps at least");
    send(&child, Signal::KILL);
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    until("nothing is left", || tree.processes().is_empty());
}

#[test]
fn a_test_that_ended_in_time_while_the_runner_was_stopped_did_not_time_out() {
    let script = "touch \"$FIXTURE/runs\"\nuntil [ -e \"$FIXTURE/go\" ]; do :; done";
    let tree = Fixture::with(&[("patient", script)]);
    let begun = Instant::now();
    let child = tree.start(&["-j1", "-t2"]);
    until("the test runs", || tree.path("runs").exists());
    send(&child, Signal::STOP);
    tree.file("go", "");
    let engines = || tree.processes().iter().filter(|pid| is_engine(**pid)).count();
    until("the test has ended", || engines() == 0);
    until("its deadline has passed", || begun.elapsed() > Duration::from_secs(3));
    send(&child, Signal::CONT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Whether this is the shell that runs a test's file.
fn is_engine(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.contains("patient.js"))
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let tree = Fixture::with(&[("a", "exit 1"), ("b", "touch \"$FIXTURE/ran\"")]);
    let mut child = tree.start(&["-j1"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(tree.path("ran").exists());
}
