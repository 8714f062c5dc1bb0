//! The log of the daemon, and `peerd log`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use machine::{Machine, until};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn after_a_rename_a_hangup_has_the_log_go_on_in_a_new_file() {
    let machine = Machine::running();
    let old = machine.path("log/peerd.log.1");
    fs::rename(machine.path("log/peerd.log"), &old).unwrap();
    machine.send(Signal::HUP);
    until("there is a new file", || machine.log().contains("the log goes on"));
    let before = fs::read_to_string(&old).unwrap();
    machine.done(&["stop"]);
    assert!(machine.log().contains("ends: "));
    assert_eq!(fs::read_to_string(&old).unwrap(), before);
}

#[test]
fn a_log_that_cannot_be_opened_anew_goes_on_in_the_old_file() {
    let machine = Machine::running();
    let old = machine.path("log.old");
    fs::rename(machine.path("log"), &old).unwrap();
    fs::write(machine.path("log"), "no directory").unwrap();
    machine.send(Signal::HUP);
    let log = || fs::read_to_string(old.join("peerd.log")).unwrap();
    until("it is said", || log().contains("cannot write the log"));
    machine.done(&["stop"]);
    assert!(log().contains("ends: "));
}

#[test]
fn a_full_disk_does_not_end_the_daemon() {
    let machine = Machine::new();
    machine.start(&["--set", "log.file=/dev/full", "--set", "log.level=trace"]);
    assert!(machine.pid().is_some());
    machine.done(&["stop"]);
}

#[test]
fn levels_are_for_all_and_for_parts() {
    let machine = Machine::new();
    machine.start(&["--set", "log.level=warn"]);
    assert_eq!(machine.log(), "");
    machine.done(&["stop"]);
    machine.start(&["--set", "log.level=off", "--set", "log.levels.peerd=info"]);
    assert!(machine.log().contains("info  peerd: this machine is"), "{}", machine.log());
}

#[test]
fn the_last_lines_are_shown() {
    let machine = Machine::new();
    machine.refused(&["log"], 1, &["cannot read", "log/peerd.log"]);
    fs::create_dir(machine.path("log")).unwrap();
    let lines: String = (0..50).map(|n| format!("line {n}\n")).collect();
    fs::write(machine.path("log/peerd.log"), lines).unwrap();
    assert_eq!(machine.done(&["log", "-n", "2"]), "line 48\nline 49\n");
    assert_eq!(machine.done(&["log"]).lines().count(), 20);
    assert_eq!(machine.done(&["log", "-n0"]), "");
    fs::write(machine.path("other"), "x\n").unwrap();
    fs::write(machine.path("peerd.toml"), "[log]\nfile = \"other\"\n").unwrap();
    assert_eq!(machine.done(&["log"]), "x\n", "where the configuration says");
}

/// `peerd log -f`, and what it has printed.
struct Follower {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Follower {
    fn new(machine: &Machine) -> Self {
        let mut child = machine.command(&["log", "-f", "-n1"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let reader = Arc::clone(&printed);
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                reader.lock().unwrap().push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        });
        Self { child, printed }
    }

    fn prints(&self, text: &str) {
        until(text, || *self.printed.lock().unwrap() == text);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn following_survives_rotation_and_truncation_and_ends_with_ctrl_c() {
    let machine = Machine::new();
    let log = machine.path("log/peerd.log");
    fs::create_dir(machine.path("log")).unwrap();
    let append = |text: &str| {
        let mut file = OpenOptions::new().append(true).create(true).open(&log).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append("one\ntwo\n");
    let mut follower = Follower::new(&machine);
    follower.prints("two\n");
    append("three\n");
    follower.prints("two\nthree\n");

    let old = machine.path("log/peerd.log.1");
    fs::rename(&log, &old).unwrap();
    let mut late = OpenOptions::new().append(true).open(&old).unwrap();
    late.write_all(b"four\n").unwrap();
    append("five\n");
    follower.prints("two\nthree\nfour\nfive\n");

    OpenOptions::new().write(true).truncate(true).open(&log).unwrap();
    append("6\n");
    follower.prints("two\nthree\nfour\nfive\n6\n");

    kill_process(Pid::from_child(&follower.child), Signal::INT).unwrap();
    assert_eq!(follower.child.wait().unwrap().code(), Some(0));
}

#[test]
fn following_waits_for_a_log_that_is_not_there_yet() {
    let machine = Machine::new();
    let follower = Follower::new(&machine);
    machine.start(&[]);
    until("the daemon's lines", || follower.printed.lock().unwrap().contains("this machine is"));
}
