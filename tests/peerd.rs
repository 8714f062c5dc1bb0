//! `peerd` through the real binary: identity and trust on disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use machine::Machine;

/// Brings the other one's statement here, as links do.
fn hears(machine: &Machine, other: &Machine) {
    let name = format!("trusted/{}.statement", other.name());
    fs::copy(other.path(&name), machine.path(&name)).unwrap();
}

#[test]
fn setup_may_be_repeated_and_keeps_the_identity() {
    let machine = Machine::new();
    let key = fs::read(machine.path("data/identity.key")).unwrap();
    let again = machine.done(&["setup"]);
    assert!(again.contains("already") && again.contains(&machine.name()), "{again}");
    assert_eq!(fs::read(machine.path("data/identity.key")).unwrap(), key);
    assert_eq!(machine.done(&["peers", "--json"]), "");
}

#[test]
fn home_is_the_option_then_the_variable_then_the_users_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerd"));
        command.args(args).env_remove("FLOTILLA_HOME").env_remove("XDG_DATA_HOME");
        for (name, place) in set {
            command.env(name, dir.path().join(place));
        }
        assert_eq!(command.output().unwrap().status.code(), Some(0));
    };
    let option = dir.path().join("option");
    let all = [("HOME", "user"), ("XDG_DATA_HOME", "data"), ("FLOTILLA_HOME", "variable")];
    run(&["setup", "--home", option.to_str().unwrap()], &all);
    run(&["setup"], &all);
    run(&["setup"], &all[..2]);
    run(&["setup"], &all[..1]);
    for made in ["option", "variable", "data/flotilla", "user/.local/share/flotilla"] {
        assert!(dir.path().join(made).join("data/identity.key").exists(), "{made}");
    }
}

#[test]
fn trust_goes_over_a_chain_and_ends_with_a_revocation() {
    let [a, b, c] = [Machine::new(), Machine::new(), Machine::new()];
    let approved = a.done(&["approve", &b.pem()]);
    assert_eq!(approved, format!("approved: {}\n", b.name()));
    assert!(a.done(&["trust", &b.pem()]).contains("approved already"));
    b.done(&["approve", &a.pem()]);
    b.done(&["approve", &c.pem()]);
    hears(&a, &b);
    let seen = a.peer(&c.name());
    assert_eq!(seen["i_trust"], true);
    assert_eq!(seen["chain"], serde_json::json!([b.name(), c.name()]));
    assert_eq!(a.peer(&b.name())["trusts_me"], true);
    assert_eq!(a.peer(&a.name()), serde_json::Value::Null, "oneself is no peer");
    assert!(a.done(&["peers"]).contains(&format!("{}\n  trusted through {}\n", c.name(), b.name())));

    b.done(&["revoke", &c.name()]);
    hears(&a, &b);
    assert_eq!(a.peer(&c.name()), serde_json::Value::Null);
    b.done(&["approve", &c.name()]);
    hears(&a, &b);
    assert_eq!(a.peer(&c.name())["i_trust"], true, "a revoked key is approved again by its fingerprint");

    let revoked = a.done(&["revoke", &b.name()[..12]]);
    assert!(revoked.contains(&format!("revoked: {}", b.name())), "{revoked}");
    assert!(revoked.contains(&format!("not trusted any more: {}", c.name())), "{revoked}");
    let seen = a.peer(&b.name());
    assert_eq!((&seen["i_trust"], &seen["barred"]), (&false.into(), &true.into()));
    assert_eq!(seen["reason"], "it is not trusted: revoked here");
    assert!(!a.path(&format!("trusted/{}.pem", b.name())).exists());
}

#[test]
fn what_cannot_be_approved_is_said() {
    let [a, b] = [Machine::new(), Machine::new()];
    let secret = b.path("data/identity.key");
    a.refused(&["approve", secret.to_str().unwrap()], 1, &["private key"]);
    a.refused(&["approve", &a.pem()], 1, &["own key"]);
    a.refused(&["revoke", &a.name()], 1, &["own key"]);
    a.refused(&["approve", "/no/such/file"], 1, &["/no/such/file"]);
    a.refused(&["approve", &b.name()], 1, &[&b.name(), "not known"]);
    a.refused(&["revoke", "abcdef"], 1, &["no known fingerprint"]);
    a.refused(&["revoke", "../x"], 1, &["no fingerprint"]);
    a.done(&["approve", &b.pem()]);
    a.refused(&["approve", &b.name()[..8]], 1, &["16 digits"]);
    assert!(a.done(&["approve", &b.name()[..16]]).contains("already"));
    assert!(a.done(&["revoke", &"7".repeat(64)]).contains("revoked"), "before it was ever seen");
}

#[test]
fn an_identity_that_others_can_read_is_not_used() {
    let machine = Machine::new();
    fs::set_permissions(machine.path("data/identity.key"), fs::Permissions::from_mode(0o644)).unwrap();
    for args in [&["fingerprint"][..], &["peers"], &["setup"], &["revoke", "abcdef"]] {
        machine.refused(args, 1, &["identity.key", "0644", "chmod 600"]);
    }
}

#[test]
fn without_setup_it_says_what_to_do() {
    let machine = Machine::bare();
    machine.refused(&["fingerprint"], 1, &["peerd setup"]);
    machine.refused(&["approve", "x.pem"], 1, &["peerd setup"]);
    assert!(!machine.path("").exists(), "nothing was made");
}

#[test]
fn a_damaged_or_foreign_statement_counts_for_nothing() {
    let [a, b, c] = [Machine::new(), Machine::new(), Machine::new()];
    a.done(&["approve", &b.pem()]);
    b.done(&["approve", &c.pem()]);
    hears(&a, &b);
    let file = a.path(&format!("trusted/{}.statement", b.name()));
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = a.run(&["peers", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not signed by its issuer"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains(&c.name()));
}

#[test]
fn commands_at_the_same_time_lose_nothing() {
    let machine = Machine::new();
    let others: Vec<_> = (0..6).map(|_| Machine::new()).collect();
    std::thread::scope(|scope| {
        for other in &others {
            scope.spawn(|| machine.done(&["approve", &other.pem()]));
        }
    });
    let statement = fs::read(machine.path(&format!("trusted/{}.statement", machine.name()))).unwrap();
    let statement = flotilla_messages::statement::SignedStatement::open(&statement).unwrap();
    assert_eq!(statement.content().approvals.len(), others.len());
    assert!(others.iter().all(|other| statement.approves(&other.name().parse().unwrap())));
}

#[test]
fn an_unknown_command_is_a_bad_option() {
    let machine = Machine::new();
    machine.refused(&["frobnicate"], 2, &["frobnicate"]);
    machine.refused(&[], 2, &["Usage"]);
    machine.refused(&["status"], 1, &["no daemon runs", "peerd start"]);
    machine.refused(&["status", "--json"], 1, &["no daemon runs"]);
}
