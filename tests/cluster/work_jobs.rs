//! The Work port of a real daemon, and clients written by hand.

use std::path::PathBuf;
use std::time::Duration;

use flotilla_actors::run::daemon_client;
use flotilla_messages::inputs::{Digest, PackPart, Packer};
use flotilla_messages::packet::{Engine, Native};
use flotilla_messages::port::local::{Answer, Question};
use flotilla_messages::port::work::{JudgedRun, RemoteEnding, RemoteNews, WorkMessage};
use flotilla_messages::{Arg, Exit, Judge, Outcome, Program};

use crate::cable::Cable;
use crate::client::{Client, Files, lease};
use crate::harness::{Cluster, Polls};

/// The peer that works.
const PEER: usize = 0;

/// A peer that works for this many others, and trusts each of them.
async fn peer_of(clients: usize) -> Cluster {
    let mut cluster = Cluster::new(1 + clients);
    cluster.up(PEER).await;
    for client in 1..=clients {
        cluster.approve(PEER, client).await;
    }
    cluster
}

async fn connect(cluster: &Cluster, who: usize) -> Client {
    let address = cluster.daemon(PEER).addresses().work;
    let identity = cluster.peers[who].identity();
    Client::connect(identity, cluster.peers[PEER].fingerprint, address).await.unwrap()
}

/// What the peer has for this client.
fn workspace(cluster: &Cluster, client: usize) -> PathBuf {
    let work = cluster.peers[PEER].home().path().join("work");
    work.join(cluster.peers[client].fingerprint.to_string()).join("root")
}

fn temporary(cluster: &Cluster) -> Vec<PathBuf> {
    let tmp = cluster.peers[PEER].home().path().join("work/tmp");
    let Ok(entries) = std::fs::read_dir(tmp) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What a test has written, once it has.
async fn written(path: PathBuf) -> String {
    let mut polls = Polls::new();
    loop {
        match std::fs::read_to_string(&path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(polls.next().await, "{} is not written", path.display()),
        }
    }
}

async fn until_gone(pid: &str) {
    let mut polls = Polls::new();
    loop {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let dead = state
            .rsplit(')')
            .next()
            .is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('Z'));
        if dead {
            return;
        }
        assert!(polls.next().await, "process {pid} lives: {state}");
    }
}

#[actix_rt::test]
async fn a_peer_says_what_a_late_test_prints_what_differs_and_what_memory_it_takes() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[
        ("late", "trap 'echo got TERM; exit 0' TERM; echo started; while :; do sleep 0.01; done"),
        ("differs", "echo a; echo c"),
    ]);
    std::fs::write(files.root().join("test/differs.out"), "a\nb\n").unwrap();
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    let mut late = lease(1, "late");
    (late.case.timeout, late.case.term_grace) = (Duration::from_millis(300), Some(Duration::from_secs(20)));
    let mut differs = lease(2, "differs");
    differs.case.judge = Judge::Lines {
        comments: false,
        exit_code_counts: true,
        skip_linker_warnings: true,
        skip_hashes: true,
        blank_passes: false,
    };
    differs.case.expected_file = Some(Arg::Path("test/differs.out".into()));
    client.say(WorkMessage::Assign(vec![late, differs]));
    let endings = client.endings(2).await;
    let RemoteEnding::Judged(JudgedRun { output, judgement, difference }) = &endings[&1] else {
        panic!("{endings:?}")
    };
    assert_eq!(output.stdout.text(), "started\ngot TERM\n");
    assert_eq!((judgement.outcome, output.exit, difference), (Outcome::Timeout, Exit::Code(0), &None));
    assert!(output.memory.max_rss > 0 && output.memory.max_vms > 0, "{output:?}");
    assert_eq!(output.started, None, "its clock is no business of the client's");
    let RemoteEnding::Judged(JudgedRun { difference, .. }) = &endings[&2] else { panic!("{endings:?}") };
    let wanted = "Output does not match expectation:\n--- test/differs.out\n+++ <actual>\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
    assert_eq!(difference.as_deref(), Some(wanted));
    client.done().await;
    cluster.end().await;
}

#[actix_rt::test]
async fn tests_are_run_and_judged_and_know_nothing_of_this_machine() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[
        (
            "good",
            "pwd; echo \"$0\"; echo \"$TMPDIR $HOME\"; cd \"$TMPDIR\" && pwd && echo x > y && mkdir -m 0 z",
        ),
        ("bad", "echo \"$LANG ${LD_PRELOAD-none} ${FLOTILLA_HOME-none}\" >&2; exit 3"),
        ("quiet", "echo something"),
    ]);
    let mut client = connect(&cluster, 1).await;
    let credit = client.ready(&files).await;
    assert_eq!(credit, 10, "two jobs, and eight ahead");
    let mut quiet = lease(9, "quiet");
    quiet.keep_output = false;
    client.say(WorkMessage::Assign(vec![lease(7, "good"), lease(8, "bad"), quiet]));
    let endings = client.endings(3).await;
    let judged = |lease| match &endings[&lease] {
        RemoteEnding::Judged(JudgedRun { output, judgement, .. }) => (output, judgement.outcome),
        other => panic!("{other:?}"),
    };
    let root = files.root().display();
    let (output, outcome) = judged(7);
    assert_eq!(outcome, Outcome::Pass);
    let expected = format!("{root}\n{root}/test/good.sh\n$TMPDIR $TMPDIR\n$TMPDIR\n");
    assert_eq!(output.stdout.text(), expected);
    let (output, outcome) = judged(8);
    assert_eq!(outcome, Outcome::Fail);
    assert_eq!(output.stderr.text(), "de_DE.UTF-8 none none\n");
    let (output, outcome) = judged(9);
    assert_eq!((outcome, output.stdout.text().as_ref(), output.stdout.total), (Outcome::Pass, "", 0));
    client.done().await;

    // The same tree again: nothing is asked for, and nothing is left of before.
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    assert_eq!(client.wanted, 0);
    assert_eq!(temporary(&cluster).len(), 1);
    cluster.end().await;
}

#[actix_rt::test]
async fn a_packet_for_somebody_else_or_of_another_link_or_key_is_refused() {
    let cluster = peer_of(2).await;
    let files = Files::new(&[]);
    let root = files.tree().root;
    let mut last = [0; 32];
    for (number, words) in ["not for this machine", "another connection", "not this link's", "cannot be read"]
        .into_iter()
        .enumerate()
    {
        let mut client = connect(&cluster, 1).await;
        client.turn().await;
        let mut packet = client.packet(&files, root);
        let mut signer = client.identity.signing_key().clone();
        match number {
            0 => packet.recipient = cluster.peers[2].fingerprint,
            // What was right on the connection before.
            1 => packet.exporter = last,
            2 => signer = cluster.peers[2].identity().signing_key().clone(),
            _ => {}
        }
        let mut signed = packet.sign(&signer).unwrap();
        if number == 3 {
            signed.truncate(50);
        }
        client.say(WorkMessage::Packet(signed.into()));
        let refusal = client.refusal().await;
        assert!(number == 3 || refusal.contains(words), "{refusal}");
        last = client.exporter;
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn a_key_that_is_revoked_is_worked_for_no_longer() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[("long", "echo $$ > pid; exec sleep 1000")]);
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    client.say(WorkMessage::Assign(vec![lease(1, "long")]));
    let pid = written(workspace(&cluster, 1).join("pid")).await;
    cluster.revoke(PEER, 1).await;
    client.end().await;
    until_gone(&pid).await;
    let address = cluster.daemon(PEER).addresses().work;
    let again = Client::connect(cluster.peers[1].identity(), cluster.peers[PEER].fingerprint, address).await;
    assert!(again.is_err());
    cluster.end().await;
}

#[actix_rt::test]
async fn clients_wait_in_a_queue_and_are_told_their_place() {
    let cluster = peer_of(3).await;
    let files = Files::new(&[("good", "exit 0")]);
    let mut first = connect(&cluster, 1).await;
    first.ready(&files).await;
    let mut second = connect(&cluster, 2).await;
    assert_eq!(second.message().await, WorkMessage::Queue { ahead: 1 });
    let mut third = connect(&cluster, 3).await;
    assert_eq!(third.message().await, WorkMessage::Queue { ahead: 2 });
    // Before its turn there is nothing to say.
    second.say_packet(&second.packet(&files, files.tree().root));
    assert!(second.refusal().await.contains("turn"));
    assert_eq!(third.message().await, WorkMessage::Queue { ahead: 1 });
    first.say(WorkMessage::Assign(vec![lease(1, "good")]));
    first.endings(1).await;
    first.done().await;
    third.ready(&files).await;
    third.say(WorkMessage::Assign(vec![lease(1, "good")]));
    third.endings(1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_client_that_is_cut_off_leaves_nothing_behind_and_the_next_one_is_served() {
    let cluster = peer_of(2).await;
    let files = Files::new(&[
        ("long", "setsid sleep 1000 & echo $! > child; echo $$ > pid; echo $TMPDIR > tmp; exec sleep 1000"),
        ("good", "exit 0"),
    ]);
    let work = cluster.daemon(PEER).addresses().work;
    cluster.cables.status_port(PEER, work.port());
    let address = cluster.cables.lead(1, work);
    let peer = cluster.peers[PEER].fingerprint;
    let mut client = Client::connect(cluster.peers[1].identity(), peer, address).await.unwrap();
    client.ready(&files).await;
    client.say(WorkMessage::Assign(vec![lease(1, "long")]));
    let at = workspace(&cluster, 1);
    let mut pids = Vec::new();
    for file in ["pid", "child"] {
        pids.push(written(at.join(file)).await);
    }
    let tmp = PathBuf::from(written(at.join("tmp")).await);
    assert!(tmp.is_dir());
    let mut next = connect(&cluster, 2).await;
    cluster.cable(PEER, 1, Cable::Cut);
    next.ready(&files).await;
    for pid in pids {
        until_gone(&pid).await;
    }
    assert!(!tmp.exists());
    next.say(WorkMessage::Assign(vec![lease(1, "good")]));
    next.endings(1).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_daemon_that_ends_leaves_nothing_behind() {
    let mut cluster = peer_of(1).await;
    let files = Files::new(&[("long", "trap '' TERM; echo $$ > pid; while :; do sleep 1; done")]);
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    client.say(WorkMessage::Assign(vec![lease(1, "long")]));
    let pid = written(workspace(&cluster, 1).join("pid")).await;
    cluster.down(PEER).await;
    // Not refused: it may be there again in a moment.
    assert!(client.end().await.to_string().contains("the peer said Bye: the test says so"));
    assert_eq!(temporary(&cluster), Vec::<PathBuf>::new());
    until_gone(&pid).await;
    // The store and the workspace are free for the next one.
    cluster.up(PEER).await;
    connect(&cluster, 1).await.ready(&files).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_case_that_leads_out_of_the_root_fails_and_its_program_is_not_started() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[("good", "exit 0")]);
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    let mut absolute = lease(1, "good");
    absolute.case.program = Program::Shell(Arg::Text("/bin/true".into()));
    let mut up = lease(2, "good");
    up.case.args = vec![Arg::Path("../../../identity.key".into())];
    let mut library = lease(3, "good");
    library.case.env.insert("LD_PRELOAD".into(), "/x.so".into());
    client.say(WorkMessage::Assign(vec![absolute, up, library, lease(4, "good")]));
    let endings = client.endings(4).await;
    for (lease, words) in [(1, "not below the root"), (2, "leads out of the root"), (3, "LD_PRELOAD")] {
        match &endings[&lease] {
            RemoteEnding::Failed { outcome: Outcome::Fail, reason } => {
                assert!(reason.contains(words), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(endings[&4], RemoteEnding::Judged(_)));
    cluster.end().await;
}

#[actix_rt::test]
async fn blobs_that_are_not_what_was_asked_for_are_refused() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[("good", "exit 0")]);
    let tree = files.tree();
    let pack = |digest: Digest, bytes: &[u8]| {
        let mut packer = Packer::new().unwrap();
        packer.add(PackPart { digest, total: bytes.len() as u64, offset: 0, bytes }).unwrap();
        WorkMessage::Pack(packer.finish().unwrap())
    };
    for (digest, words) in [(tree.root, "what came as blob"), (Digest::of(b"text"), "nobody asked for")] {
        let mut client = connect(&cluster, 1).await;
        client.turn().await;
        client.say_packet(&client.packet(&files, tree.root));
        assert_eq!(client.message().await, WorkMessage::Want(vec![tree.root]));
        client.say(pack(digest, b"text"));
        let refusal = client.refusal().await;
        assert!(refusal.contains(words), "{refusal}");
    }
    let mut client = connect(&cluster, 1).await;
    client.turn().await;
    client.say(pack(Digest::of(b"text"), b"text"));
    assert!(client.refusal().await.contains("nobody asked for"));
    cluster.end().await;
}

#[actix_rt::test]
async fn withdrawn_leases_end_once_whether_they_run_or_wait() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[("long", "exec sleep 1000"), ("good", "exit 0")]);
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    client.say(WorkMessage::Assign((1..=9).map(|number| lease(number, "long")).collect()));
    client.started(1).await;
    client.say(WorkMessage::Withdraw((1..=9).chain([77]).collect()));
    let endings = client.endings(9).await;
    assert!(endings.values().all(|ending| *ending == RemoteEnding::Withdrawn), "{endings:?}");
    client.say(WorkMessage::Assign(vec![lease(10, "good")]));
    assert!(matches!(client.endings(1).await[&10], RemoteEnding::Judged(_)));
    // More than there is credit for.
    client.say(WorkMessage::Assign((11..=21).map(|number| lease(number, "long")).collect()));
    assert!(client.refusal().await.contains("10 leases"));
    cluster.end().await;
}

#[actix_rt::test]
async fn what_this_machine_cannot_run_is_no_verdict() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[]);
    files.put("bin/engine", "#!/no/such/interpreter\n", 0o755);
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    client.say(WorkMessage::Assign(vec![lease(1, "good")]));
    match &client.endings(1).await[&1] {
        RemoteEnding::Unable { reason } => assert!(reason.contains("interpreter"), "{reason}"),
        other => panic!("{other:?}"),
    }
    client.done().await;
    // A probe finds that before the first lease.
    let mut client = connect(&cluster, 1).await;
    client.turn().await;
    let mut packet = client.packet(&files, files.tree().root);
    let probes = vec![vec!["bin/engine".into(), "--version".into()]];
    packet.engine = Engine::Native(Native { probes, ..Native::here() });
    client.say_packet(&packet);
    let refusal = client.refusal().await;
    assert!(refusal.contains("the engine does not run here") && refusal.contains("interpreter"), "{refusal}");
    cluster.end().await;
}

#[actix_rt::test]
async fn claimed_slots_are_taken_from_the_guests_and_given_back() {
    let cluster = peer_of(1).await;
    let files = Files::new(&[("long", "echo $$ > pid-$1; exec sleep 1000")]);
    let mut client = connect(&cluster, 1).await;
    assert_eq!(client.ready(&files).await, 10);
    let local = cluster.daemon(PEER).addresses().local;
    let mut own = daemon_client::Client::connect(local, &cluster.peers[PEER].identity()).await.unwrap();
    assert_eq!(
        own.ask(Question::ClaimSlots { slots: 9 }).await.unwrap(),
        Answer::Slots { granted: 2, of: 2 }
    );
    assert_eq!(client.message().await, WorkMessage::Ready { credit: 9 }, "one slot is left to it");
    let numbered = |number: u64| {
        let mut lease = lease(number, "long");
        lease.case.args.push(Arg::Text(number.to_string()));
        lease
    };
    client.say(WorkMessage::Assign(vec![numbered(1), numbered(2)]));
    client.started(1).await;
    drop(own);
    loop {
        match client.message().await {
            WorkMessage::Ready { credit } => {
                assert_eq!(credit, 10);
                break;
            }
            WorkMessage::News(news) => {
                let second = |news: &RemoteNews| matches!(news, RemoteNews::Started { lease: 2, .. });
                assert!(!news.iter().any(second), "two run where one slot is left");
            }
            other => panic!("{other:?}"),
        }
    }
    client.started(2).await;
    cluster.end().await;
}
