//! What the tests of a trusted peer cannot do, by the pool they really run in. Where the kernel lacks Landlock, or has an
//! old one, these are skipped, and say so.

use std::fs;
use std::path::{Path, PathBuf};

use flotilla_actors::execution::confine::{Extent, extent};
use flotilla_messages::for_tests::skipped;
use flotilla_messages::port::work::{JudgedRun, RemoteEnding, WorkMessage};
use flotilla_messages::{Arg, Judge, Outcome, TemplateRules};

use crate::client::{Client, Files, lease};
use crate::harness::Cluster;

/// Whether tests can be confined so far here; says so if not.
fn is_confined(needs: Extent) -> bool {
    let extent = extent();
    let enough = extent == Extent::Full || (needs == Extent::Partial && extent == Extent::Partial);
    if !enough {
        skipped(&format!("a newer Landlock: this kernel's confines to {extent:?}"));
    }
    enough
}

/// A peer that works for two others.
async fn three() -> Cluster {
    let cluster = Cluster::start(3).await;
    cluster.approve(0, 1).await;
    cluster.approve(0, 2).await;
    cluster
}

async fn connect(cluster: &Cluster, who: usize) -> Client {
    let address = cluster.daemon(0).addresses().work;
    Client::connect(cluster.peers[who].identity(), cluster.peers[0].fingerprint, address).await.unwrap()
}

fn workspace(cluster: &Cluster, who: usize) -> PathBuf {
    cluster.peers[0].home().path().join("work").join(cluster.peers[who].fingerprint.to_string()).join("root")
}

/// What each of these scripts, run as a test of the first client, comes to and prints. In them, `should CODE WORDS`
/// fails the test unless the command ends with 0 (`can`) or otherwise (`cannot`).
async fn results(cluster: &Cluster, scripts: &[(&str, String)]) -> Vec<(Outcome, String)> {
    const WORDS: &str = "can() { \"$@\" || { echo \"cannot: $*\"; exit 1; }; }\n\
                         cannot() { if \"$@\"; then echo \"can: $*\"; exit 1; fi; }\n";
    let scripts: Vec<_> =
        scripts.iter().map(|(name, text)| (*name, format!("{WORDS}{text}\nexit 0"))).collect();
    let borrowed: Vec<_> = scripts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let files = Files::new(&borrowed);
    let mut client = connect(cluster, 1).await;
    client.ready(&files).await;
    let leases = borrowed.iter().zip(1..).map(|((name, _), number)| lease(number, name));
    client.say(WorkMessage::Assign(leases.collect()));
    let endings = client.endings(scripts.len()).await;
    client.done().await;
    let told = |ending: RemoteEnding| match ending {
        RemoteEnding::Judged(JudgedRun { output, judgement, .. }) => {
            (judgement.outcome, format!("{}{}", output.stdout.text(), output.stderr.text()))
        }
        other => panic!("{other:?}"),
    };
    endings.into_values().map(told).collect()
}

async fn all_pass(cluster: &Cluster, scripts: &[(&str, String)]) {
    for ((outcome, said), (name, _)) in results(cluster, scripts).await.into_iter().zip(scripts) {
        assert_eq!(outcome, Outcome::Pass, "{name}: {said}");
    }
}

fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}

#[actix_rt::test]
async fn a_test_reads_neither_the_identity_nor_another_clients_workspace_and_writes_to_its_own_alone() {
    if !is_confined(Extent::Partial) {
        return;
    }
    let cluster = three().await;
    // Another client's workspace, with something in it.
    let mut other = connect(&cluster, 2).await;
    other.ready(&Files::new(&[("secret", "exit 0")])).await;
    other.done().await;
    let theirs = workspace(&cluster, 2);
    assert!(theirs.join("test/secret.sh").exists());
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "before").unwrap();
    let home = cluster.peers[0].home().path().to_owned();
    let (outside, home_shown, theirs_shown) = (outside.path().to_owned(), shown(&home), shown(&theirs));
    let at = shown(&outside);
    all_pass(
        &cluster,
        &[
            ("own", "can touch new \"$TMPDIR/new\"; can cat test/own.sh /etc/passwd > /dev/null".into()),
            ("key", format!("cannot cat {home_shown}/data/identity.key; cannot ls {home_shown}/data")),
            (
                "theirs",
                format!(
                    "cannot cat {theirs_shown}/test/secret.sh; cannot ls {theirs_shown}; \
                     cannot touch {theirs_shown}/new; cannot rm {theirs_shown}/test/secret.sh"
                ),
            ),
            (
                "outside",
                format!(
                    "cannot touch {at}/new; cannot mkdir {at}/dir; cannot cp /dev/null {at}/file; cannot rm {at}/file; \
                     can ln -s {at}/file link; cannot cat link; cannot ln {at}/file hard; cannot touch {home_shown}/new"
                ),
            ),
            ("blobs", format!("cannot ls {home_shown}/blobs; cannot touch {home_shown}/blobs/new")),
        ],
    )
    .await;
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "before");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert!(theirs.join("test/secret.sh").exists() && !theirs.join("new").exists());
    fs::remove_dir_all(&outside).unwrap();
    cluster.end().await;
}

#[actix_rt::test]
async fn an_expected_file_is_not_read_through_a_link_that_a_test_left() {
    if !is_confined(Extent::Partial) {
        return;
    }
    let cluster = three().await;
    let key = cluster.peers[0].home().path().join("data/identity.key");
    let link = format!("ln -s {} test/link.out", key.display());
    let files = Files::new(&[("link", &link), ("good", "exit 0")]);
    let mut client = connect(&cluster, 1).await;
    client.ready(&files).await;
    client.say(WorkMessage::Assign(vec![lease(1, "link")]));
    client.endings(1).await;
    // What it was compared with would be told.
    let mut through = lease(2, "good");
    through.case.expected_file = Some(Arg::Path("test/link.out".into()));
    through.case.judge = Judge::Template {
        fails: false,
        basename: "good".into(),
        exit_code_counts: true,
        rules: TemplateRules::default(),
    };
    client.say(WorkMessage::Assign(vec![through]));
    let endings = client.endings(1).await;
    let RemoteEnding::Failed { reason, .. } = &endings[&2] else { panic!("{endings:?}") };
    assert!(reason.contains("test/link.out: Permission denied"), "{reason}");
    client.done().await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_test_cannot_signal_the_daemon() {
    if !is_confined(Extent::Full) {
        return;
    }
    let cluster = three().await;
    let own = std::process::id();
    let script = format!("cannot kill -0 {own}; cannot kill -USR1 {own}; sleep 60 & can kill $!");
    all_pass(&cluster, &[("signal", script)]).await;
    cluster.end().await;
}

#[actix_rt::test]
async fn a_test_cannot_reach_the_local_port() {
    if !is_confined(Extent::Full) {
        return;
    }
    // The only shell that makes TCP connections.
    if !Path::new("/bin/bash").exists() {
        return skipped("bash");
    }
    let cluster = three().await;
    let port = cluster.daemon(0).addresses().local.port();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), "it is there");
    let script = format!("cannot /bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'");
    all_pass(&cluster, &[("connect", script)]).await;
    cluster.end().await;
}

/// On any kernel.
#[actix_rt::test]
async fn a_test_can_fill_neither_the_disk_with_one_file_nor_leave_a_core() {
    let cluster = three().await;
    // The limits are set just after the start.
    let waits = "while [ \"$(ulimit -n)\" -gt 4096 ]; do :; done";
    let script = format!(
        "{waits}\ncan test \"$(ulimit -Hc)\" = 0\ncan test \"$(ulimit -Hf)\" != unlimited\ncan test \"$(ulimit -Hn)\" -le 4096"
    );
    let scripts = [("limits", script)];
    // A shell that inherits less than that sees no change to wait for: asked once more, it is there by then.
    for _ in 0..2 {
        let results = results(&cluster, &scripts).await;
        if results[0].0 == Outcome::Pass {
            return cluster.end().await;
        }
        eprintln!("{results:?}");
    }
    panic!("no limits");
}
