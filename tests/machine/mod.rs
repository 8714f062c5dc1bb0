//! One machine with a home of its own, where `peerd` runs through the real binary.

#![allow(dead_code, reason = "each integration test uses its own part of this")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use flotilla_actors::trust::identity::{Home, Ports};
use rustix::process::{Pid, Signal, kill_process};

/// The real binary.
pub const PEERD: &str = env!("CARGO_BIN_EXE_peerd");

/// Settings of a daemon that meets nobody.
const ALONE: [&str; 9] = [
    "--allow-root",
    "--set",
    "local.address=127.0.0.1:0",
    "--set",
    "work.address=127.0.0.1:0",
    "--set",
    "status.address=127.0.0.1:0",
    "--set",
    "discovery.enabled=false",
];

/// A home in a directory of its own. A daemon that still runs there is killed when this is dropped.
pub struct Machine {
    pub dir: tempfile::TempDir,
}

impl Machine {
    /// Without a home.
    pub fn bare() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Set up.
    pub fn new() -> Self {
        let machine = Self::bare();
        machine.done(&["setup"]);
        machine
    }

    /// Set up, and a daemon runs.
    pub fn running() -> Self {
        let machine = Self::new();
        machine.start(&[]);
        machine
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("home").join(name)
    }

    pub fn home(&self) -> Home {
        Home::at(self.path(""))
    }

    /// `peerd` with these arguments and no other settings than those of its home.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PEERD);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FLOTILLA_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .env("FLOTILLA_HOME", self.path(""))
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null());
        command
    }

    /// `start`, `run` or `restart` with these arguments, of a daemon that meets nobody.
    pub fn serving(&self, word: &str, args: &[&str]) -> Command {
        let mut command = self.command(&[word]);
        command.args(ALONE).args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What it prints; it succeeds and complains about nothing.
    pub fn done(&self, args: &[&str]) -> String {
        succeeded(self.run(args))
    }

    /// It fails with this code and says all of `parts`.
    pub fn refused(&self, args: &[&str], code: i32, parts: &[&str]) {
        failed(self.run(args), code, parts);
    }

    /// Starts a daemon in the background; what is printed.
    pub fn start(&self, args: &[&str]) -> String {
        succeeded(self.serving("start", args).output().unwrap())
    }

    /// Starts one in the foreground and waits until its ports answer. Its log goes to standard error too.
    pub fn foreground(&self, change: impl FnOnce(&mut Command)) -> Child {
        let mut command = self.serving("run", &[]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        let child = command.spawn().unwrap();
        until("the ports answer", || self.ports().is_some());
        child
    }

    /// The fingerprint.
    pub fn name(&self) -> String {
        self.done(&["fingerprint"]).trim_end().to_owned()
    }

    /// The public key as it is passed on.
    pub fn pem(&self) -> String {
        let name = fs::read_to_string(self.path("data/mypubkey")).unwrap();
        self.path(&format!("trusted/{}.pem", name.trim_end())).to_str().unwrap().to_owned()
    }

    /// `peers --json` of one other machine.
    pub fn peer(&self, name: &str) -> serde_json::Value {
        let lines = self.done(&["peers", "--json"]);
        let mut values = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        values.find(|value| value["fingerprint"] == name).unwrap_or_default()
    }

    /// The daemon that runs.
    pub fn pid(&self) -> Option<u32> {
        self.home().daemon().unwrap()
    }

    pub fn ports(&self) -> Option<Ports> {
        self.home().ports().unwrap()
    }

    /// Sends the daemon a signal.
    pub fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().unwrap().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// What is in the log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log/peerd.log")).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Ok(Some(pid)) = self.home().daemon()
            && let Some(pid) = Pid::from_raw(pid.cast_signed())
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// What it printed; it succeeded and complained about nothing.
pub fn succeeded(output: Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*complaints), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

/// It failed with this code and said all of `parts`.
pub fn failed(output: Output, code: i32, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

/// Waits until something holds, at most 20 s.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
