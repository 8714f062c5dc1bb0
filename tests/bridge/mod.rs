//! Machines on a network: each a network namespace on a bridge without a default route, with a home of its own and the
//! real binaries. Needs root and iproute2. None of it touches the machine's own network.

#![allow(dead_code, reason = "each integration test uses its own part of this")]

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use flotilla_messages::for_tests::skipped;
use serde_json::Value;

use crate::machine::{Machine, succeeded, until};

/// Bridges of this process so far: several tests have theirs at a time.
static BRIDGES: AtomicUsize = AtomicUsize::new(0);

/// Namespaces that go when the test does.
pub struct Bridge {
    name: String,
    hosts: Vec<String>,
}

impl Bridge {
    /// With a cable to each of these hosts, which get the addresses 10.78.0.1 and so on. Says so and gives nothing where
    /// that cannot be had.
    pub fn build(hosts: &[&str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped("root, for network namespaces");
            return None;
        }
        let number = BRIDGES.fetch_add(1, Ordering::Relaxed);
        let name = format!("flotilla{}-{number}", std::process::id());
        let mut bridge = Self { name, hosts: Vec::new() };
        match bridge.lay(hosts) {
            Ok(()) => Some(bridge),
            Err(reason) => {
                skipped(&format!("network namespaces: {reason}"));
                None
            }
        }
    }

    fn lay(&mut self, hosts: &[&str]) -> Result<(), String> {
        let hub = self.hub();
        ip(&format!("netns add {hub}"))?;
        ip(&format!("-n {hub} link add br0 type bridge"))?;
        ip(&format!("-n {hub} link set br0 up"))?;
        for (number, name) in (1..).zip(hosts) {
            let host = self.host(name);
            ip(&format!("netns add {host}"))?;
            self.hosts.push((*name).to_owned());
            ip(&format!("-n {hub} link add port{number} type veth peer name eth0 netns {host}"))?;
            ip(&format!("-n {hub} link set port{number} master br0 up"))?;
            ip(&format!("-n {host} address add 10.78.0.{number}/24 broadcast + dev eth0"))?;
            ip(&format!("-n {host} link set lo up"))?;
            ip(&format!("-n {host} link set eth0 up"))?;
        }
        Ok(())
    }

    /// The namespace with the bridge itself.
    pub fn hub(&self) -> String {
        self.host("hub")
    }

    /// A host's namespace.
    pub fn host(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// The hosts at its cables.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// Which it is, from 1: the end of its address, and of the name of its port at the hub.
    pub fn number(&self, name: &str) -> usize {
        1 + self.hosts.iter().position(|host| host == name).unwrap()
    }

    /// Pulls a host's cable out, or puts it in again.
    pub fn plug(&self, name: &str, plugged: bool) {
        let state = if plugged { "up" } else { "down" };
        ip(&format!("-n {} link set port{} {state}", self.hub(), self.number(name))).unwrap();
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for name in self.hosts().chain(["hub"]) {
            let _ = ip(&format!("netns delete {}", self.host(name)));
        }
    }
}

/// `ip` with these words.
///
/// # Errors
/// What it complains about.
pub fn ip(arguments: &str) -> Result<(), String> {
    tool("ip", arguments)
}

/// A program with these words.
///
/// # Errors
/// What it complains about, or that it is not there.
pub fn tool(program: &str, arguments: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program} {arguments}: {said}")) }
}

/// The same command, inside of a namespace.
pub fn inside(namespace: &str, command: &Command) -> Command {
    let mut inside = Command::new("ip");
    inside.args(["netns", "exec", namespace]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside.stdin(Stdio::null());
    inside
}

/// A machine in a namespace, on the usual ports.
pub struct Host {
    pub machine: Machine,
    pub name: String,
    pub namespace: String,
    pub address: String,
}

impl Host {
    /// Set up at the end of this cable.
    pub fn new(bridge: &Bridge, name: &str) -> Self {
        Self::with(bridge, name, Machine::new())
    }

    /// This machine at the end of this cable.
    pub fn with(bridge: &Bridge, name: &str, machine: Machine) -> Self {
        let address = format!("10.78.0.{}", bridge.number(name));
        Self { machine, name: name.to_owned(), namespace: bridge.host(name), address }
    }

    /// `peerd` with these words.
    pub fn command(&self, words: &[&str]) -> Command {
        inside(&self.namespace, &self.machine.command(words))
    }

    /// What it prints; it succeeds and complains about nothing.
    pub fn done(&self, words: &[&str]) -> String {
        succeeded(self.command(words).output().unwrap())
    }

    /// Starts the daemon.
    pub fn start(&self) {
        self.done(&["start", "--allow-root"]);
    }

    /// Starts it after it was killed, which is said.
    pub fn start_again(&self) {
        let output = self.command(&["start", "--allow-root"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("did not end in order"), "{said}");
    }

    /// Trusts the other; a daemon need not run.
    pub fn approve(&self, other: &Self) {
        self.done(&["approve", &other.machine.pem()]);
    }

    /// What `peers --json` says of the other; null if it is not known.
    pub fn sees(&self, other: &Self) -> Value {
        let name = other.machine.name();
        let lines = self.done(&["peers", "--json"]);
        let peers = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        peers.into_iter().find(|peer| peer["fingerprint"] == name.as_str()).unwrap_or_default()
    }

    /// Waits until that is so, and prints how long it took.
    pub fn until_sees(&self, what: &str, other: &Self, holds: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        let mut seen = Value::Null;
        until(what, || {
            seen = self.sees(other);
            holds(&seen)
        });
        println!("{what}: {:.2} s", start.elapsed().as_secs_f64());
        seen
    }
}

/// Whether a peer can be used.
pub fn usable(peer: &Value) -> bool {
    peer["usable"] == true
}

/// Waits until all of them have succeeded, without a complaint.
pub fn succeeded_all(children: Vec<Child>) {
    for child in children {
        succeeded(child.wait_with_output().unwrap());
    }
}
