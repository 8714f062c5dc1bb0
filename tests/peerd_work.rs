//! The Work port of the real `peerd`: its own shell, its settings for tests, its reaper.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "cluster/client.rs"]
#[allow(dead_code, reason = "each integration test uses its own part of this")]
mod client;
mod machine;

use std::fs;
use std::path::PathBuf;

use client::{Client, Files, lease};
use flotilla_messages::packet::Engine;
use flotilla_messages::port::work::{JudgedRun, RemoteEnding, WorkMessage};
use flotilla_messages::{Arg, Outcome, Program};
use machine::{Machine, until};
use rustix::process::Signal;

/// A machine that works, and a client that it trusts.
async fn connected(settings: &str) -> (Machine, Machine, Client) {
    let (peer, own) = (Machine::new(), Machine::new());
    fs::write(peer.path("peerd.toml"), settings).unwrap();
    peer.done(&["approve", &own.pem()]);
    peer.start(&[]);
    let name = peer.home().identity().unwrap().fingerprint();
    let identity = own.home().identity().unwrap();
    let client = Client::connect(identity, name, peer.ports().unwrap().work).await.unwrap();
    (peer, own, client)
}

fn is_dead(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('Z'))
}

#[actix_rt::test]
async fn scripts_run_on_the_peers_own_shell_with_its_owners_variables() {
    let settings = "[work]\njobs = 1\n[work.env]\nPATH = \"/owner\"\n";
    let (peer, own, mut client) = connected(settings).await;
    let files = Files::new(&[("env", "echo $PATH")]);
    files.put("test/hello.js", "print('hello'); undefined_function();\n", 0o644);
    let tree = files.tree();
    client.turn().await;
    let mut packet = client.packet(&files, tree.root);
    packet.engine = Engine::Builtin;
    client.say_packet(&packet);
    client.ship(&tree).await;
    let mut script = lease(1, "hello");
    script.case.program = Program::Builtin;
    script.case.args = vec![Arg::Path("test/hello.js".into())];
    client.say(WorkMessage::Assign(vec![script, lease(2, "env")]));
    let endings = client.endings(2).await;
    let RemoteEnding::Judged(JudgedRun { output, judgement, .. }) = &endings[&1] else {
        panic!("{endings:?}")
    };
    assert_eq!(judgement.outcome, Outcome::Fail);
    let said = output.stdout.text();
    let path = format!("{}/test/hello.js:1:", files.root().display());
    assert!(said.starts_with("hello\n") && said.contains(&path), "{said}");
    let RemoteEnding::Judged(JudgedRun { output, .. }) = &endings[&2] else { panic!("{endings:?}") };
    assert_eq!(output.stdout.text(), "/owner\n");
    client.done().await;
    // Who asked for what, and what came of it.
    until("the log tells", || peer.log().contains("2 tests ran, 1 of them not as expected"));
    let log = peer.log();
    assert!(log.contains(&format!("work of {} begins: tree {}", own.name(), tree.root)), "{log}");
    assert!(log.contains("1 tests so far, for the built-in shell"), "{log}");
    assert!(log.contains("variables that are not passed on: LD_PRELOAD"), "{log}");
}

#[actix_rt::test]
async fn no_test_outlives_a_daemon_that_is_killed() {
    let (peer, own, mut client) = connected("").await;
    let files = Files::new(&[(
        "long",
        "setsid sleep 1000 & echo $! > child; trap '' TERM; echo $$ > pid; while :; do sleep 1; done",
    )]);
    client.ready(&files).await;
    client.say(WorkMessage::Assign(vec![lease(1, "long")]));
    // From here on the link may stand still while files are waited for.
    client.started(1).await;
    let at: PathBuf = peer.path("work").join(own.name()).join("root");
    let written = |name: &str| {
        let mut text = String::new();
        until(name, || {
            text = fs::read_to_string(at.join(name)).unwrap_or_default();
            text.ends_with('\n')
        });
        text.trim().to_owned()
    };
    let pids = [written("child"), written("pid")];
    peer.send(Signal::KILL);
    client.end().await;
    for pid in pids {
        until("the process is gone", || is_dead(&pid));
    }
    // What it left is put right by the next one, which tells of it.
    let started = peer.serving("start", &[]).output().unwrap();
    assert!(String::from_utf8_lossy(&started.stderr).contains("did not end in order"));
    let name = peer.home().identity().unwrap().fingerprint();
    let work = peer.ports().unwrap().work;
    let mut client = Client::connect(own.home().identity().unwrap(), name, work).await.unwrap();
    client.ready(&files).await;
    assert_eq!(client.wanted, 0);
    assert_eq!(fs::read_dir(peer.path("work/tmp")).unwrap().count(), 1);
    assert!(!at.join("pid").exists());
}
