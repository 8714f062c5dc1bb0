//! Runs over peers give what runs on one machine give.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_actors::content::inputs::{Placed, Selection};
use flotilla_actors::net::link::Timing;
use flotilla_actors::run::proxy::Target;
use flotilla_actors::run::scheduler::ConfirmFailures;
use flotilla_actors::run::{PeersOptions, RunError, RunOptions, StopRequest, StopSource, drive};
use flotilla_actors::trust::identity::Ports;
use flotilla_messages::packet::{Engine, Native};
use flotilla_messages::{Event, EventKind, RunHeader, Summary, TestReport};
use flotilla_suites::{Options, Tree};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::harness::{Cluster, Polls};
use crate::support::Fixture;

/// A tree with tests that pass, fail, crash, hang and flood.
pub fn tree() -> Fixture {
    let fixture = Fixture::with(&[
        ("fail", "echo to stdout; echo to stderr >&2; exit 3"),
        ("crash", "kill -SEGV $$"),
        ("hang", "sleep 1000 & sleep 1000"),
        ("flood", "head -c 300000 /dev/zero | tr '\\0' x; exit 1"),
        ("where", "pwd; echo \"$1 $2\"; exit 1"),
        ("known", "exit 1"),
        ("leaves", "setsid sleep 1000 &\nexit 0"),
    ]);
    for number in 0..20 {
        fixture.test(&format!("pass{number}"), "exit 0");
    }
    fixture.status("[[ALWAYS, {'known': [FAIL]}]]");
    fixture
}

pub fn open(fixture: &Fixture, timeout: u32) -> Arc<Tree> {
    let options = Options {
        root: fixture.root(),
        variants: Some("default".into()),
        random_seed: 42,
        timeout: Some(timeout),
        ..Options::default()
    };
    Arc::new(Tree::open(options).unwrap())
}

pub fn options(root: &Path, jobs: usize, peers: Option<PeersOptions>) -> RunOptions {
    let marker = ("FIXTURE".into(), root.into());
    RunOptions {
        root: root.to_owned(),
        jobs,
        builtin: Vec::new(),
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap()), marker],
        output_cap: 10_000,
        memory: false,
        max_heavy: 1,
        exit_after_failures: None,
        keep_passing_output: false,
        confirm_failures: ConfirmFailures::Off,
        reruns: Default::default(),
        flaky_fails: false,
        total_timeout: None,
        unsorted: false,
        explain: false,
        history: None,
        reaper: None,
        peers,
        unusable_peers: Vec::new(),
        header: RunHeader::default(),
    }
}

pub fn peers(cluster: &Cluster, tree: &Tree, of: &[usize]) -> PeersOptions {
    let inputs = tree.inputs().unwrap();
    let home = cluster.peers[0].home();
    let root = tree_root(tree);
    let placed = |place: PathBuf| Placed { source: root.join(&place), place };
    let target = |&number: &usize| {
        let address: SocketAddr = cluster.daemon(number).addresses().work;
        let name = format!("peer{number}");
        Target { name, address, key: Some(cluster.peers[number].fingerprint) }
    };
    PeersOptions {
        identity: Arc::new(home.identity().unwrap()),
        peers: of.iter().map(target).collect(),
        trusted: Vec::new(),
        after: Duration::ZERO,
        inputs: Selection {
            root: root.clone(),
            chosen: inputs.chosen,
            placed: inputs.engines.into_iter().map(placed).collect(),
        },
        cache: home.path().join("data/inputs"),
        engine: Engine::Native(Native { probes: inputs.probes, ..Native::here() }),
        env: vec![("LANG".into(), "C".into()), ("FIXTURE".into(), root.to_string_lossy().into())],
        timing: Timing::default(),
        daemon: None,
    }
}

fn tree_root(tree: &Tree) -> PathBuf {
    let build = tree.description().build_dir.unwrap();
    build.parent().unwrap().to_owned()
}

type Seen = Rc<RefCell<Vec<EventKind>>>;

/// Keeps all events, and does something at each.
struct Watcher {
    seen: Seen,
    at: Box<dyn FnMut(&EventKind)>,
}

impl Reporter for Watcher {
    fn event(&mut self, event: &Event) {
        (self.at)(&event.kind);
        self.seen.borrow_mut().push(event.kind.clone());
    }
}

/// What came of a run.
pub struct Ran {
    result: Result<Summary, RunError>,
    events: Vec<EventKind>,
}

impl Ran {
    pub async fn of(options: RunOptions, tree: &Arc<Tree>) -> Self {
        Self::watched(options, tree, |_, _| {}).await
    }

    pub async fn watched(
        options: RunOptions,
        tree: &Arc<Tree>,
        mut at: impl FnMut(&EventKind, &UnboundedSender<StopRequest>) + 'static,
    ) -> Self {
        let seen = Seen::default();
        let (stop, stops) = unbounded_channel();
        let at = Box::new(move |event: &EventKind| at(event, &stop));
        let watcher = Watcher { seen: Rc::clone(&seen), at };
        let cases = Arc::clone(tree) as Arc<dyn flotilla_messages::Cases>;
        let result = drive(options, cases, vec![Box::new(watcher)], StopSource::Channel(stops)).await;
        let events = seen.borrow().clone();
        Self { result, events }
    }

    pub fn summary(&self) -> &Summary {
        self.result.as_ref().unwrap_or_else(|error| panic!("{error}: {:#?}", self.notices()))
    }

    pub fn reports(&self) -> impl Iterator<Item = &TestReport> {
        self.events.iter().filter_map(|event| match event {
            EventKind::Finished(report) => Some(&**report),
            _ => None,
        })
    }

    /// In the order in which they came.
    pub fn events(&self) -> impl Iterator<Item = &EventKind> {
        self.events.iter()
    }

    pub fn notices(&self) -> Vec<&str> {
        let mut notices = Vec::new();
        for event in &self.events {
            if let EventKind::Notice(text) = event {
                notices.push(text.as_str());
            }
        }
        notices
    }

    /// What each test came to, and what is said of it, apart from where and when.
    pub fn verdicts(&self) -> BTreeMap<String, String> {
        let told = |report: &TestReport| {
            let output = report.output.as_ref().map(|output| {
                // Texts of tests that ended as expected stay where they ran.
                let kept = !report.as_expected;
                (output.exit, output.timed_out, kept.then(|| (output.stdout.clone(), output.stderr.clone())))
            });
            let told = (report.outcome, report.as_expected, &report.why, &report.case, output);
            (report.name.to_string(), format!("{told:?}"))
        };
        let verdicts: BTreeMap<_, _> = self.reports().map(told).collect();
        assert_eq!(verdicts.len(), self.reports().count(), "a test has two verdicts");
        verdicts
    }

    pub fn places(&self) -> BTreeMap<String, u64> {
        let mut places = BTreeMap::new();
        for report in self.reports() {
            let name = report.place.peer().unwrap_or("here").to_owned();
            *places.entry(name).or_default() += 1;
        }
        places
    }
}

/// Daemons of which the others trust the first, whose identity runs tests, and are trusted by it.
pub async fn cluster(peers: usize) -> Cluster {
    let mut cluster = Cluster::new(peers);
    for number in 0..peers {
        cluster.up(number).await;
    }
    for other in 1..peers {
        cluster.approve(0, other).await;
        cluster.approve(other, 0).await;
    }
    cluster
}

#[actix_rt::test]
async fn verdicts_and_exit_code_are_the_same_on_one_machine_on_one_peer_and_on_three() {
    let fixture = tree();
    let tree = open(&fixture, 3);
    let root = fixture.root();
    let here = Ran::of(options(&root, 2, None), &tree).await;
    assert_eq!(here.summary().exit_code(), 1);
    assert_eq!(here.reports().count(), 27);
    let cluster = cluster(4).await;
    for of in [&[1][..], &[1, 2, 3]] {
        let there = Ran::of(options(&root, 0, Some(peers(&cluster, &tree, of))), &tree).await;
        assert_eq!(there.summary().counts, here.summary().counts, "{:?}", there.notices());
        for (name, verdict) in here.verdicts() {
            assert_eq!(there.verdicts()[&name], verdict, "{name} on {of:?}");
        }
        assert_eq!(there.places().values().sum::<u64>(), 27);
        assert!(!there.places().contains_key("here"));
    }
    let mixed = Ran::of(options(&root, 1, Some(peers(&cluster, &tree, &[1, 2]))), &tree).await;
    assert_eq!(mixed.verdicts(), here.verdicts());
    cluster.end().await;
    assert!(fixture.processes().is_empty());
}

/// A tree with this many tests that take a moment.
pub fn slow_tree(tests: usize) -> Fixture {
    let fixture = Fixture::new();
    for number in 0..tests {
        fixture.test(&format!("pass{number}"), "sleep 0.05");
    }
    fixture
}

#[actix_rt::test]
async fn a_peer_that_leaves_amid_a_run_costs_no_verdict() {
    let fixture = slow_tree(60);
    let tree = open(&fixture, 60);
    let mut cluster = cluster(3).await;
    let options = options(&fixture.root(), 1, Some(peers(&cluster, &tree, &[1, 2])));
    let mut leaving = cluster.peers[1].daemon.take();
    let ran = Ran::watched(options, &tree, move |event, _| {
        if let EventKind::Finished(report) = event
            && report.place.peer() == Some("peer1")
            && let Some(daemon) = leaving.take()
        {
            actix_rt::spawn(async move { daemon.stop("the test says so").await });
        }
    })
    .await;
    assert_eq!(ran.summary().exit_code(), 0);
    assert_eq!(ran.verdicts().len(), 60);
    let said = ran.notices().into_iter().find(|notice| notice.starts_with("peer1 is not used any more: "));
    assert!(said.unwrap().contains("the test says so"), "{said:?}");
    cluster.end().await;
    assert!(fixture.processes().is_empty());
}

#[actix_rt::test]
async fn a_run_without_local_jobs_ends_when_its_last_peer_has_left() {
    let fixture = slow_tree(60);
    let tree = open(&fixture, 60);
    let mut cluster = cluster(2).await;
    let options = options(&fixture.root(), 0, Some(peers(&cluster, &tree, &[1])));
    let mut leaving = cluster.peers[1].daemon.take();
    let ran = Ran::watched(options, &tree, move |event, _| {
        if let EventKind::Finished(_) = event
            && let Some(daemon) = leaving.take()
        {
            actix_rt::spawn(async move { daemon.stop("the test says so").await });
        }
    })
    .await;
    let error = ran.result.unwrap_err().to_string();
    assert!(error.contains("no peer can be used") && error.contains("the test says so"), "{error}");
    cluster.end().await;
}

#[actix_rt::test]
async fn a_peer_that_does_not_trust_us_is_named_and_the_run_goes_on_without_it() {
    let fixture = slow_tree(40);
    let tree = open(&fixture, 60);
    let mut cluster = Cluster::start(2).await;
    cluster.approve(0, 1).await;
    let options = options(&fixture.root(), 1, Some(peers(&cluster, &tree, &[1])));
    let ran = Ran::of(options, &tree).await;
    assert_eq!(ran.summary().exit_code(), 0);
    let said = ran.notices().into_iter().find(|notice| notice.starts_with("peer1 is not used: "));
    assert!(said.unwrap().contains("the peer does not trust our key"), "{said:?}");
    cluster.down(1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn an_interrupted_run_leaves_nothing_on_its_peers() {
    let fixture = Fixture::with(&[("a", "sleep 1000"), ("b", "sleep 1000"), ("c", "sleep 1000")]);
    let tree = open(&fixture, 1000);
    let cluster = cluster(2).await;
    let options = options(&fixture.root(), 0, Some(peers(&cluster, &tree, &[1])));
    let ran = Ran::watched(options, &tree, |event, stop| {
        if let EventKind::Started { .. } = event {
            stop.send(StopRequest::Interrupt).unwrap();
        }
    })
    .await;
    assert_eq!((ran.summary().exit_code(), ran.summary().not_run), (3, 3));
    let mut polls = Polls::new();
    while !fixture.processes().is_empty() {
        assert!(polls.next().await, "processes are left on the peer");
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn two_runs_at_once_both_get_through_one_peer() {
    let (one, other) = (slow_tree(20), slow_tree(20));
    let trees = [open(&one, 60), open(&other, 60)];
    let cluster = cluster(2).await;
    let [one, other] = &trees;
    let options = |tree| options(&tree_root(tree), 0, Some(peers(&cluster, tree, &[1])));
    let (one, other) = tokio::join!(Ran::of(options(one), one), Ran::of(options(other), other));
    for ran in [one, other] {
        assert_eq!((ran.summary().exit_code(), ran.verdicts().len()), (0, 20));
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn the_runner_itself_uses_a_peer_that_is_named() {
    let fixture = Arc::new(tree());
    let cluster = cluster(2).await;
    let peer = cluster.daemon(1).addresses().work.to_string();
    let home = cluster.peers[0].home();
    let run = |args: &[&str]| {
        let mut command = fixture.command(args);
        command.env("FLOTILLA_HOME", home.path()).env_remove("LD_LIBRARY_PATH");
        async move {
            crate::support::Ran(
                actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap(),
            )
        }
    };
    let there = run(&["-t3", "--variants=default", "--local-jobs=0", "--peer", &peer]).await;
    assert_eq!(there.code(), Some(1), "{}", there.all());
    let out = there.stdout();
    for part in [
        &format!("{peer} takes part"),
        &format!("It ran on {peer}."),
        "27 tests ran",
        &format!("27 on {peer}"),
    ] {
        assert!(out.contains(part), "{part:?} is not in {}", there.all());
    }
    let nobody = run(&["--local-jobs=0", "--peer", "127.0.0.1:1"]).await;
    assert!(nobody.stderr().contains("no peer can be used"), "{}", nobody.all());
    let bound = run(&["--command-prefix=env", "--peer", &peer, "mjsunit/pass1"]).await;
    assert!(bound.stderr().contains("all tests run on this machine: --command-prefix"), "{}", bound.all());
    assert_eq!(bound.code(), Some(0));
    cluster.end().await;
}

#[actix_rt::test]
async fn the_runner_asks_its_own_daemon_for_peers() {
    let fixture = Arc::new(slow_tree(40));
    let cluster = cluster(3).await;
    for peer in [1, 2] {
        cluster.until_usable(0, peer).await;
    }
    let home = cluster.peers[0].home();
    let claim = home.claim().unwrap();
    let flotilla_actors::daemon::Addresses { local, work, status, discovery } = cluster.daemon(0).addresses();
    claim.publish(&Ports { local, work, status, discovery }).unwrap();
    let mut command = fixture.command(&["-j1", "--variants=default", "--network-min-seconds=0"]);
    command.env("FLOTILLA_HOME", home.path()).env_remove("LD_LIBRARY_PATH");
    let ran = actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let ran = crate::support::Ran(ran);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    for peer in [1, 2] {
        let part = format!("{} takes part", cluster.daemon(peer).addresses().work);
        assert!(ran.stdout().contains(&part), "{part:?} is not in {}", ran.all());
    }
    cluster.end().await;
}

/// Bytes that peers say they were sent, in their order.
fn sent(ran: &Ran) -> BTreeMap<String, f64> {
    let takes_part = |notice: &&str| -> Option<(String, f64)> {
        let (name, rest) = notice.split_once(" takes part: ")?;
        let mut words = rest.split(' ');
        let number: f64 = words.next()?.parse().ok()?;
        let unit = match words.next()? {
            "MB" => 1e6,
            "kB" => 1e3,
            _ => 1.0,
        };
        Some((name.to_owned(), number * unit))
    };
    ran.notices().iter().filter_map(takes_part).collect()
}

#[actix_rt::test]
async fn a_large_file_leaves_this_machine_once_for_peers_that_trust_each_other() {
    let fixture = Fixture::new();
    for number in 0..60 {
        fixture.test(&format!("pass{number}"), "test $(wc -c < \"$FIXTURE/large\") = 5000000; sleep 0.2");
    }
    fixture.file("large", crate::blobs::noise(5_000_000));
    let tree = open(&fixture, 60);
    let cluster = cluster(4).await;
    for (one, other) in [(1, 2), (2, 3), (1, 3)] {
        cluster.befriend(one, other).await;
    }
    let options = options(&fixture.root(), 0, Some(peers(&cluster, &tree, &[1, 2, 3])));
    let ran = Ran::of(options, &tree).await;
    assert_eq!(ran.summary().exit_code(), 0, "{:?}", ran.notices());
    let sent = sent(&ran);
    assert_eq!(sent.len(), 3, "{:?}", ran.notices());
    let all: f64 = sent.values().sum();
    assert!((5e6..6e6).contains(&all), "{sent:?}");
    cluster.end().await;
}

#[actix_rt::test]
async fn a_file_that_changes_after_the_inputs_were_signed_is_named() {
    let fixture = slow_tree(100);
    // Too large to be kept from when it was signed: what is small is sent as it was then.
    fixture.file("data", "before".repeat(20_000));
    let tree = open(&fixture, 60);
    let cluster = Cluster::start(4).await;
    cluster.befriend(0, 1).await;
    cluster.approve(1, 2).await;
    cluster.approve(1, 3).await;
    let connect = |who: usize| {
        let address = cluster.daemon(1).addresses().work;
        let identity = cluster.peers[who].identity();
        crate::client::Client::connect(identity, cluster.peers[1].fingerprint, address)
    };
    // Another client is served first, so that this one's inputs wait.
    let mut first = connect(2).await.unwrap();
    first.turn().await;
    let options = options(&fixture.root(), 1, Some(peers(&cluster, &tree, &[1])));
    let change = async {
        let mut polls = Polls::new();
        loop {
            let mut watcher = connect(3).await.unwrap();
            let place = watcher.message().await;
            watcher.say(flotilla_messages::port::work::WorkMessage::Done);
            watcher.end().await;
            if place == (flotilla_messages::port::work::WorkMessage::Queue { ahead: 2 }) {
                break;
            }
            assert!(polls.next().await, "the run does not queue");
        }
        // It has looked through its inputs, and will sign what it found.
        fixture.file("data", "AFTER!".repeat(20_000));
        first.done().await;
    };
    let (ran, ()) = tokio::join!(Ran::of(options, &tree), change);
    assert_eq!(ran.summary().exit_code(), 0);
    let said = ran.notices().into_iter().find(|notice| notice.starts_with("peer1 is not used: "));
    assert!(said.unwrap().contains("data: it has changed since the run began"), "{said:?}");
    cluster.end().await;
}
