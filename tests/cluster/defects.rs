//! What V8's own networked runner did wrong (2012 to 2016), each with a test that fails where it is done again.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::run::{cluster, slow_tree};
use crate::support::{Fixture, Ran, until};

/// A runner on this tree, with a home that peers trust.
fn runner(fixture: &Fixture, home: &PathBuf, args: &[&str]) -> Command {
    let mut command = fixture.command(args);
    command.args(["--variants=default", "--env=FIXTURE"]);
    command.env("FLOTILLA_HOME", home).env_remove("LD_LIBRARY_PATH");
    command
}

/// Its end; the peers, which are in this process, work meanwhile.
async fn ran(mut command: Command) -> Ran {
    Ran(actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap())
}

/// `NetworkedRunner.Run` returned `not self.failed`: 1 when all was well, 0 when tests had failed.
#[actix_rt::test]
async fn the_exit_code_is_not_inverted_over_the_network() {
    let cluster = cluster(2).await;
    let home = cluster.peers[0].home().path().to_owned();
    let peer = cluster.daemon(1).addresses().work.to_string();
    let green = Fixture::with(&[("a", "exit 0"), ("b", "exit 0")]);
    let red = Fixture::with(&[("a", "exit 0"), ("b", "exit 1")]);
    for (fixture, code) in [(&green, 0), (&red, 1)] {
        let ran = ran(runner(fixture, &home, &["--local-jobs=0", "--peer", &peer])).await;
        assert_eq!(ran.code(), Some(code), "{}", ran.all());
        assert!(ran.stdout().contains(&format!("2 on {peer}")), "{}", ran.all());
    }
    cluster.end().await;
}

/// Where `connect` failed, the thread of that peer ended by a `NameError`, and its share of the tests was never run.
#[actix_rt::test]
async fn no_test_is_lost_where_a_connection_fails() {
    let cluster = cluster(2).await;
    let home = cluster.peers[0].home().path().to_owned();
    let good = cluster.daemon(1).addresses().work.to_string();
    // Nobody listens; nobody answers; somebody answers who is no peer.
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string();
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let wrong = cluster.daemon(1).addresses().status.to_string();
    let deaf = silent.local_addr().unwrap().to_string();
    let dead = ["--peer", &closed, "--peer", &deaf, "--peer", &wrong];
    let fixture = slow_tree(60);
    let on = |with: &[&str]| ran(runner(&fixture, &home, &[with, &dead].concat()));
    for ran in [on(&["--local-jobs=0", "--peer", &good]).await, on(&["-j2"]).await] {
        assert_eq!(ran.code(), Some(0), "{}", ran.all());
        assert!(ran.stdout().contains("60 tests ran in "), "{}", ran.all());
        assert!(ran.stdout().contains(&format!("{closed} is not used: ")), "{}", ran.all());
    }
    cluster.end().await;
}

/// A second client waited silently for the first until its patience ended, and then ran everything at home, in silence
/// as well and one test after the other.
#[actix_rt::test]
async fn a_second_runner_says_that_it_waits_and_works_at_home_meanwhile() {
    let cluster = cluster(2).await;
    let home = cluster.peers[0].home().path().to_owned();
    let peer = cluster.daemon(1).addresses().work.to_string();
    let first = Arc::new(Fixture::with(&[("long", "sleep 1000")]));
    let fixture = Arc::clone(&first);
    let scenario = move || {
        let mut one = Watched::start(runner(&first, &home, &["-t1000", "--local-jobs=0", "--peer", &peer]));
        assert!(one.says(&format!("{peer} takes part")), "{:#?}", one.seen);
        until("the test runs on the peer", || first.processes().len() > 1);
        let second = slow_tree(200);
        let mut other =
            Watched::start(runner(&second, &home, &["-j1", "--progress=stream", "--peer", &peer]));
        assert!(
            other.says(&format!("{peer} works for others first: 1 ahead of this run")),
            "{:#?}",
            other.seen
        );
        // It does not stand still.
        assert!(other.says("PASS: mjsunit/"), "{:#?}", other.seen);
        one.kill();
        assert!(other.says(&format!("{peer} takes part")), "{:#?}", other.seen);
        assert!(other.says("200 tests ran in "), "{:#?}", other.seen);
        assert_eq!(other.child.wait().unwrap().code(), Some(0));
    };
    actix_rt::task::spawn_blocking(scenario).await.unwrap();
    until("nothing is left", || fixture.processes().is_empty());
    cluster.end().await;
}

/// A runner whose output is read as it comes.
struct Watched {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    seen: Vec<String>,
}

impl Watched {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, seen: Vec::new() }
    }

    /// Reads on to a line with this; whether there is one.
    fn says(&mut self, words: &str) -> bool {
        loop {
            let mut line = String::new();
            if self.out.read_line(&mut line).unwrap() == 0 {
                return false;
            }
            self.seen.push(line.clone());
            if line.contains(words) {
                return true;
            }
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
