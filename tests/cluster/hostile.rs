//! Clients that are trusted and up to no good: nothing outside of their workspace is written.

use std::fs;

use flotilla_messages::inputs::{
    Digest, Directory, DirectoryEntry, EntryKind, Name, PackPart, Packer, Target,
};
use flotilla_messages::packet::{Engine, Native, Version};
use flotilla_messages::port::work::{RemoteEnding, WorkMessage};
use flotilla_messages::{Arg, Outcome};

use crate::client::{Client, Files, lease};
use crate::harness::Cluster;

/// A peer that works for one other.
async fn two() -> Cluster {
    let cluster = Cluster::start(2).await;
    cluster.approve(0, 1).await;
    cluster
}

async fn connect(cluster: &Cluster) -> Client {
    let address = cluster.daemon(0).addresses().work;
    let mut client =
        Client::connect(cluster.peers[1].identity(), cluster.peers[0].fingerprint, address).await.unwrap();
    client.turn().await;
    client
}

fn pack(digest: Digest, bytes: &[u8]) -> WorkMessage {
    let mut packer = Packer::new().unwrap();
    packer.add(PackPart { digest, total: bytes.len() as u64, offset: 0, bytes }).unwrap();
    WorkMessage::Pack(packer.finish().unwrap())
}

/// What the peer says to a packet before it asks for any blob.
async fn answer(cluster: &Cluster, engine: Engine) -> WorkMessage {
    let files = Files::new(&[]);
    let mut client = connect(cluster).await;
    let mut packet = client.packet(&files, files.tree().root);
    packet.engine = engine;
    client.say_packet(&packet);
    client.message().await
}

fn refusal(answer: &WorkMessage) -> &str {
    match answer {
        WorkMessage::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn a_client_whose_platform_differs_is_refused_before_any_blob_moves() {
    let cluster = two().await;
    let other = Native { os: "plan9".into(), ..Native::here() };
    let said = answer(&cluster, Engine::Native(other)).await;
    assert!(refusal(&said).starts_with("the engine is for plan9 "), "{said:?}");
    let level = Native { level: 200, ..Native::here() };
    let said = answer(&cluster, Engine::Native(level)).await;
    if cfg!(target_arch = "x86_64") {
        assert!(refusal(&said).contains("a processor of level x86-64-v200"), "{said:?}");
    }
    let version = Version { library: "libc.so.6".into(), name: "GLIBC_2.999".into() };
    let said = answer(&cluster, Engine::Native(Native { versions: vec![version], ..Native::here() })).await;
    if cfg!(target_env = "gnu") {
        assert!(
            refusal(&said).starts_with("the engine needs GLIBC_2.999, this machine has GLIBC_"),
            "{said:?}"
        );
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn what_a_packet_names_for_the_engine_stays_below_the_root() {
    let cluster = two().await;
    for path in ["/usr/lib", "../lib", "a/../../lib"] {
        let libraries = vec![path.to_owned()];
        let said = answer(&cluster, Engine::Native(Native { libraries, ..Native::here() })).await;
        assert!(refusal(&said).contains("leads out of the root"), "{said:?}");
        let probes = vec![vec![path.to_owned()]];
        let said = answer(&cluster, Engine::Native(Native { probes, ..Native::here() })).await;
        assert!(refusal(&said).contains("leads out of the root"), "{said:?}");
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn a_client_whose_clock_is_off_by_a_day_is_worked_for() {
    let cluster = two().await;
    let files = Files::new(&[("good", "exit 0")]);
    let tree = files.tree();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for issued in [now - 86_400, now + 86_400, 0, u64::MAX] {
        let mut client = connect(&cluster).await;
        let mut packet = client.packet(&files, tree.root);
        packet.issued = issued;
        client.say_packet(&packet);
        client.ship(&tree).await;
        client.done().await;
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn a_manifest_that_changes_after_the_signature_is_refused() {
    let cluster = two().await;
    let (files, others) = (Files::new(&[("good", "exit 0")]), Files::new(&[("evil", "exit 0")]));
    let (signed, other) = (files.tree(), others.tree());
    let changed = &other.directories[&other.root];
    // Another directory under the name that was signed, and under its own.
    for (digest, words) in [(signed.root, "what came as blob"), (other.root, "nobody asked for")] {
        let mut client = connect(&cluster).await;
        client.say_packet(&client.packet(&files, signed.root));
        assert_eq!(client.message().await, WorkMessage::Want(vec![signed.root]));
        client.say(pack(digest, changed));
        let said = client.refusal().await;
        assert!(said.contains(words), "{said}");
    }
    // Another packet, signed as well as the first.
    let mut client = connect(&cluster).await;
    client.say_packet(&client.packet(&files, signed.root));
    assert_eq!(client.message().await, WorkMessage::Want(vec![signed.root]));
    client.say_packet(&client.packet(&others, other.root));
    assert!(client.refusal().await.contains("a second work packet"));
    cluster.end().await;
}

#[actix_rt::test]
async fn a_tree_that_leads_out_of_the_workspace_is_refused_and_nothing_is_written() {
    let cluster = two().await;
    let home = cluster.peers[0].home().path().to_owned();
    let before = fs::read(home.join("data/identity.key")).unwrap();
    let files = Files::new(&[]);
    let entry =
        |name: &str, node: EntryKind| DirectoryEntry { name: Name::new(name.as_bytes()).unwrap(), node };
    let link = |target: &str| EntryKind::Symlink { target: Target::new(target.as_bytes()).unwrap() };
    // Names that lead out cannot even be written down.
    for name in ["..", ".", "", "a/b", "/etc"] {
        assert!(Name::new(name.as_bytes()).is_err(), "{name}");
    }
    assert!(Target::new(b"/etc").is_err());
    let file = EntryKind::File { digest: Digest::of(b"text"), size: 4, executable: false };
    for entries in [
        vec![entry("a", link("../../data"))],
        // By a link, and a file below its name.
        vec![entry("a", link("../x")), entry("b", file.clone())],
    ] {
        let blob = Directory::new(entries).unwrap().encode();
        let root = Digest::of(&blob);
        let mut client = connect(&cluster).await;
        client.say_packet(&client.packet(&files, root));
        assert_eq!(client.message().await, WorkMessage::Want(vec![root]));
        client.say(pack(root, &blob));
        let said = client.refusal().await;
        assert!(said.contains("cannot work for you"), "{said}");
    }
    // A name with a way in it, put into a directory's bytes where it had a plain one of the same length.
    let good = Directory::new(vec![entry("xxxxxxx", file)]).unwrap().encode();
    let at = good.windows(7).position(|bytes| bytes == b"xxxxxxx").unwrap();
    let mut blob = good;
    blob[at..at + 7].copy_from_slice(b"../evil");
    let root = Digest::of(&blob);
    let mut client = connect(&cluster).await;
    client.say_packet(&client.packet(&files, root));
    assert_eq!(client.message().await, WorkMessage::Want(vec![root]));
    client.say(pack(root, &blob));
    assert!(client.refusal().await.contains("cannot work for you"));
    assert_eq!(fs::read(home.join("data/identity.key")).unwrap(), before);
    let workspace = home.join("work").join(cluster.peers[1].fingerprint.to_string()).join("root");
    assert!(fs::read_dir(workspace).map_or(0, Iterator::count) == 0, "something was laid out");
    cluster.end().await;
}

#[actix_rt::test]
async fn a_packet_of_a_key_that_was_revoked_since_is_not_heard() {
    let cluster = two().await;
    let files = Files::new(&[("good", "exit 0")]);
    let client = connect(&cluster).await;
    // It was made, and signed, while the key was trusted.
    let packet = client.packet(&files, files.tree().root);
    cluster.revoke(0, 1).await;
    client.say_packet(&packet);
    let mut client = client;
    let end = client.end().await;
    assert!(end.to_string().contains("trust"), "{end}");
    let again = Client::connect(
        cluster.peers[1].identity(),
        cluster.peers[0].fingerprint,
        cluster.daemon(0).addresses().work,
    );
    assert!(again.await.is_err());
    assert!(
        !cluster.peers[0].home().path().join("work").join(cluster.peers[1].fingerprint.to_string()).exists()
    );
    cluster.end().await;
}

#[actix_rt::test]
async fn a_missing_expected_file_is_named_by_the_clients_path() {
    let cluster = two().await;
    let files = Files::new(&[("good", "exit 0")]);
    let mut client = connect(&cluster).await;
    let tree = files.tree();
    client.say_packet(&client.packet(&files, tree.root));
    client.ship(&tree).await;
    let mut lease = lease(1, "good");
    lease.case.expected_file = Some(Arg::Path("test/good.out".into()));
    client.say(WorkMessage::Assign(vec![lease]));
    let endings = client.endings(1).await;
    let RemoteEnding::Failed { outcome, reason } = &endings[&1] else { panic!("{endings:?}") };
    let path = format!("cannot read the expected output {}/test/good.out: ", files.root().display());
    assert!(*outcome == Outcome::Fail && reason.starts_with(&path), "{reason}");
    client.done().await;
    cluster.end().await;
}
