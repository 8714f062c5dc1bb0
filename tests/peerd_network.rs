//! Three machines on a network: each a network namespace on a bridge without a default route, with a real `peerd`.
//! Needs root and iproute2; says so and does nothing otherwise. Prints how long what takes (`--nocapture`).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;

use std::process::Command;
use std::time::Instant;

use machine::{Machine, PEERD, failed, succeeded, until};
use serde_json::Value;

/// Namespaces that go when the test does. None of it touches the machine's own network.
struct Bridge(String);

impl Bridge {
    fn build(hosts: &[&str]) -> Result<Self, String> {
        let bridge = Self(format!("flotilla-peerd{}", std::process::id()));
        let hub = bridge.host("hub");
        ip(&format!("netns add {hub}"))?;
        ip(&format!("-n {hub} link add br0 type bridge"))?;
        ip(&format!("-n {hub} link set br0 up"))?;
        for (number, name) in (1..).zip(hosts) {
            let host = bridge.host(name);
            ip(&format!("netns add {host}"))?;
            ip(&format!("-n {hub} link add port{number} type veth peer name eth0 netns {host}"))?;
            ip(&format!("-n {hub} link set port{number} master br0 up"))?;
            ip(&format!("-n {host} address add 10.78.0.{number}/24 broadcast + dev eth0"))?;
            ip(&format!("-n {host} link set lo up"))?;
            ip(&format!("-n {host} link set eth0 up"))?;
        }
        Ok(bridge)
    }

    fn host(&self, name: &str) -> String {
        format!("{}-{name}", self.0)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for name in ["hub", "a", "b", "c"] {
            let _ = ip(&format!("netns delete {}", self.host(name)));
        }
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).output().map_err(|e| format!("ip: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {arguments}: {said}")) }
}

/// A machine in a namespace, on the usual ports.
struct Host {
    machine: Machine,
    namespace: String,
}

impl Host {
    fn new(bridge: &Bridge, name: &str) -> Self {
        Self { machine: Machine::new(), namespace: bridge.host(name) }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, PEERD]).args(words);
        command.env("FLOTILLA_HOME", self.machine.path("")).env_remove("NOTIFY_SOCKET");
        command
    }

    fn done(&self, words: &[&str]) -> String {
        succeeded(self.command(words).output().unwrap())
    }

    fn start(&self) {
        self.done(&["start", "--allow-root"]);
    }

    fn approve(&self, other: &Self) {
        let name = other.machine.name();
        let pem = other.machine.path(&format!("trusted/{name}.pem"));
        self.done(&["approve", pem.to_str().unwrap()]);
    }

    /// What `peers --json` says of the other; null if it is not known.
    fn sees(&self, other: &Self) -> Value {
        let name = other.machine.name();
        let lines = self.done(&["peers", "--json"]);
        let peers = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        peers.into_iter().find(|peer| peer["fingerprint"] == name.as_str()).unwrap_or_default()
    }

    /// Waits until that is so, and prints how long it took.
    fn until_sees(&self, what: &str, other: &Self, holds: impl Fn(&Value) -> bool) -> Value {
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

fn usable(peer: &Value) -> bool {
    peer["usable"] == true
}

#[test]
fn three_machines_on_a_network_trust_over_a_chain_until_it_is_withdrawn() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root for network namespaces");
        return;
    }
    let bridge = match Bridge::build(&["a", "b", "c"]) {
        Ok(bridge) => bridge,
        Err(reason) => {
            eprintln!("skipped: no network namespaces here: {reason}");
            return;
        }
    };
    let [a, b, c] = ["a", "b", "c"].map(|name| Host::new(&bridge, name));
    for host in [&a, &b, &c] {
        host.start();
    }
    a.approve(&b);
    b.approve(&a);
    b.approve(&c);
    c.approve(&b);
    let seen = a.until_sees("C can be used through B", &c, usable);
    assert_eq!(seen["chain"], serde_json::json!([b.machine.name(), c.machine.name()]));
    assert_eq!((&seen["address"], &seen["link"]), (&"10.78.0.3:9992".into(), &"up".into()));
    assert!(a.done(&["status"]).contains("2 of 2 known peers can be used"));

    b.done(&["revoke", &c.machine.name()]);
    let seen = a.until_sees("C is revoked on B", &c, |peer| peer["i_trust"] == false && peer["link"] != "up");
    assert!(seen["reason"].as_str().unwrap().contains("approved neither here nor by a trusted key"));
    b.approve(&c);
    a.until_sees("C is approved again", &c, usable);

    c.machine.send(rustix::process::Signal::KILL);
    a.until_sees("C is killed, its link is down", &c, |peer| !usable(peer));
    a.until_sees("and it is gone", &c, |peer| peer["present"] == false);

    // Somebody else at C's address, with a key of its own.
    let thief = Host::new(&bridge, "c");
    thief.start();
    let seen = a.until_sees("another key at C's address", &thief, |peer| peer["present"] == true);
    assert_eq!((&seen["address"], &seen["usable"]), (&"10.78.0.3:9992".into(), &false.into()));
    assert!(seen["reason"].as_str().unwrap().contains("not trusted"));
    assert_eq!(a.sees(&c)["usable"], false);
    thief.done(&["stop"]);

    let output = c.command(&["start", "--allow-root"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did not end in order"));
    a.until_sees("C is back", &c, usable);
    for host in [&a, &b, &c] {
        host.done(&["stop"]);
        failed(host.command(&["status"]).output().unwrap(), 1, &["no daemon runs"]);
    }
}
