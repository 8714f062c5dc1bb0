//! Commands about trust and peers while the daemon runs: it is asked over its Local port.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;

use flotilla_messages::statement::SignedStatement;
use machine::{Machine, until};
use serde_json::Value;

/// Has commands look for the daemon's Local port elsewhere.
fn mislead(machine: &Machine, address: SocketAddr) {
    let file = machine.path("data/peerd.ports");
    let ports = fs::read_to_string(&file).unwrap();
    fs::write(&file, ports.replace(&machine.ports().unwrap().local.to_string(), &address.to_string()))
        .unwrap();
}

#[test]
fn the_daemon_approves_and_revokes_and_what_it_did_lasts() {
    let (machine, other) = (Machine::running(), Machine::new());
    let name = other.name();
    assert_eq!(machine.done(&["approve", &other.pem()]), format!("approved: {name}\n"));
    assert_eq!(machine.done(&["trust", &other.pem()]), format!("approved already: {name}\n"));
    let file = machine.path(&format!("trusted/{name}.pem"));
    assert!(file.exists());
    let seen = machine.peer(&name);
    assert_eq!((&seen["i_trust"], &seen["chain"]), (&true.into(), &serde_json::json!([name])));
    assert_eq!((&seen["usable"], &seen["link"]), (&false.into(), &"none".into()));

    assert_eq!(machine.done(&["revoke", &name[..12]]), format!("revoked: {name}\n"));
    assert!(!file.exists());
    assert_eq!(machine.peer(&name)["barred"], true);
    assert_eq!(machine.done(&["approve", &name[..16]]), format!("approved: {name}\n"));

    machine.done(&["stop"]);
    let seen = machine.peer(&name);
    assert_eq!((&seen["i_trust"], &seen["barred"]), (&true.into(), &false.into()));
    assert_eq!(machine.done(&["approve", &other.pem()]), format!("approved already: {name}\n"));
    machine.start(&[]);
    assert_eq!(machine.peer(&name)["i_trust"], true);
}

#[test]
fn what_cannot_be_approved_is_said_by_the_daemon_too() {
    let (machine, other) = (Machine::running(), Machine::new());
    machine.refused(&["approve", &machine.pem()], 1, &["own key"]);
    machine.refused(&["revoke", &machine.name()], 1, &["own key"]);
    machine.refused(&["approve", &other.name()], 1, &[&other.name()]);
    machine.refused(&["approve", "/no/such/file"], 1, &["/no/such/file"]);
    let secret = other.path("data/identity.key");
    machine.refused(&["approve", secret.to_str().unwrap()], 1, &["private key"]);
    machine.refused(&["revoke", "abcdef"], 1, &["no known fingerprint"]);
    machine.done(&["approve", &other.pem()]);
    machine.refused(&["approve", &other.name()[..8]], 1, &["16 digits"]);
}

#[test]
fn commands_at_the_same_time_lose_nothing() {
    let machine = Machine::running();
    let others: Vec<_> = (0..6).map(|_| Machine::new()).collect();
    std::thread::scope(|scope| {
        for other in &others {
            scope.spawn(|| machine.done(&["approve", &other.pem()]));
        }
        scope.spawn(|| machine.done(&["setup"]));
    });
    let statement = fs::read(machine.path(&format!("trusted/{}.statement", machine.name()))).unwrap();
    let statement = SignedStatement::open(&statement).unwrap();
    assert!(others.iter().all(|other| statement.approves(&other.name().parse().unwrap())));
}

#[test]
fn status_tells_who_runs_where_and_whom_it_refused() {
    let machine = Machine::running();
    let ports = machine.ports().unwrap();
    let mut stranger = TcpStream::connect(ports.status).unwrap();
    stranger.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let status =
        || serde_json::from_str::<Value>(&machine.done(&["status", "--json"])).expect("one object of JSON");
    until("the stranger is told", || {
        status()["ports"][2]["refused"] == 1 || status()["ports"][1]["refused"] == 1
    });
    let seen = status();
    assert_eq!(seen["fingerprint"], machine.name());
    assert_eq!(seen["pid"], machine.pid().unwrap());
    let addresses: Vec<_> = seen["ports"].as_array().unwrap().iter().map(|port| &port["address"]).collect();
    for address in [ports.local, ports.work, ports.status] {
        assert!(addresses.contains(&&address.to_string().into()), "{address} is not in {seen}");
    }
    let text = machine.done(&["status"]);
    let words =
        [&machine.name(), "refused lately", "Discovery  off", &ports.work.to_string()].map(str::to_owned);
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn watching_goes_on_until_nobody_reads() {
    let machine = Machine::running();
    let mut child = machine.command(&["status", "--json", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map(Result::unwrap).filter(|line| !line.is_empty()).take(2) {
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["pid"], machine.pid().unwrap());
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_daemon_of_another_identity_is_told_from_ones_own() {
    let (machine, other) = (Machine::running(), Machine::running());
    mislead(&machine, other.ports().unwrap().local);
    for command in ["peers", "status"] {
        machine.refused(&[command], 1, &["another identity", &other.ports().unwrap().local.to_string()]);
    }
    assert!(!machine.done(&["fingerprint"]).is_empty());
    let output = machine.run(&["stop"]);
    assert!(output.status.success(), "it is stopped by a signal");
    assert!(machine.pid().is_none() && other.pid().is_some());
}

#[test]
fn a_port_where_nobody_answers_is_said() {
    let machine = Machine::running();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    mislead(&machine, nobody);
    machine.refused(&["peers"], 1, &["no peerd answers", &nobody.to_string()]);
    machine.refused(&["revoke", &"7".repeat(64)], 1, &["no peerd answers"]);
}
