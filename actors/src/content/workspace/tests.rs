use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use flotilla_messages::inputs::{Digest, Directory, DirectoryEntry, EntryKind, Name, Target, TreeLimits};

use super::*;
use crate::content::blobs::{BlobStore, Located, Owner};
use crate::content::inputs::{Packs, Selection, StatCache, Tree, scan};

/// A client's files, and what a peer has.
struct Peer {
    dir: tempfile::TempDir,
    store: BlobStore,
    workspace: Workspace,
}

impl Peer {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("client")).unwrap();
        let store = BlobStore::open(dir.path().join("blobs"), 64 << 20).unwrap();
        let workspace = Workspace::open(dir.path().join("workspace")).unwrap();
        Self { dir, store, workspace }
    }

    fn client(&self, path: &str) -> PathBuf {
        self.dir.path().join("client").join(path)
    }

    /// A path in the workspace.
    fn at(&self, path: &str) -> PathBuf {
        self.workspace.root().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.client(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn scan(&self) -> Tree {
        let selection =
            Selection { root: self.client(""), chosen: vec![PathBuf::new()], ..Selection::default() };
        scan(&selection, &mut StatCache::load("/nowhere/cache")).unwrap()
    }

    /// Ships the client's files.
    fn send(&mut self) -> Tree {
        let tree = self.scan();
        let all = tree.directories.keys().chain(tree.files.keys()).copied();
        let missing = self.store.missing(all);
        self.ship(&tree, missing);
        tree
    }

    fn ship(&mut self, tree: &Tree, blobs: Vec<Digest>) {
        for pack in Packs::new(tree, blobs).unwrap() {
            let pack = pack.unwrap();
            self.store.put(Owner(0), &pack, &pack.unpack().unwrap()).unwrap();
        }
    }

    fn update_to(&mut self, root: Digest) -> Result<Updated, WorkspaceError> {
        self.workspace.update(root, &TreeLimits::default(), &mut self.store)
    }

    /// Ships the client's files and updates the workspace, which then holds just these.
    fn update(&mut self) -> Updated {
        let tree = self.send();
        let updated = self.update_to(tree.root).unwrap();
        assert_eq!(listing(self.workspace.root()), listing(&self.client("")));
        updated
    }

    /// Puts a directory into the store that no scan would make.
    fn forge(&mut self, entries: &[(&str, EntryKind)]) -> EntryKind {
        let entry = |(name, node): &(&str, EntryKind)| DirectoryEntry {
            name: Name::new(name.as_bytes()).unwrap(),
            node: node.clone(),
        };
        let bytes = Directory::new(entries.iter().map(entry).collect()).unwrap().encode();
        let digest = Digest::of(&bytes);
        let mut packer = flotilla_messages::inputs::Packer::new().unwrap();
        let part = flotilla_messages::inputs::PackPart {
            digest,
            total: bytes.len() as u64,
            offset: 0,
            bytes: &bytes,
        };
        packer.add(part).unwrap();
        let pack = packer.finish().unwrap();
        self.store.put(Owner(0), &pack, &pack.unpack().unwrap()).unwrap();
        EntryKind::Directory { digest }
    }

    /// As if peerd had been started anew.
    fn restart(self) -> Self {
        let Self { dir, store, workspace } = self;
        drop((store, workspace));
        let store = BlobStore::open(dir.path().join("blobs"), 64 << 20).unwrap();
        let workspace = Workspace::open(dir.path().join("workspace")).unwrap();
        Self { dir, store, workspace }
    }
}

/// Everything below a directory: what it is, and what is in it.
fn listing(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let (kind, mode) = (entry.file_type(), entry.path().symlink_metadata().unwrap().mode());
        let what = if kind.is_dir() {
            "/".to_owned()
        } else if kind.is_symlink() {
            format!("-> {}", fs::read_link(entry.path()).unwrap().display())
        } else {
            format!("{:o} {}", mode & 0o111, String::from_utf8_lossy(&fs::read(entry.path()).unwrap()))
        };
        found.insert(entry.path().strip_prefix(root).unwrap().to_owned(), what);
    }
    found
}

fn counts(kept: u64, written: u64, bytes: u64, removed: u64) -> Updated {
    Updated { kept, written, bytes, removed }
}

/// More than a pack holds.
fn large() -> Vec<u8> {
    let mut bytes = vec![0; 3 << 20];
    fastrand::Rng::with_seed(1).fill(&mut bytes);
    bytes
}

/// A client with a bit of everything.
fn demo() -> Peer {
    let peer = Peer::new();
    peer.write("test/a.js", "aa");
    peer.write("test/deep/er/b.js", "bbb");
    peer.write("out/d8", "engine");
    fs::set_permissions(peer.client("out/d8"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(peer.client("test/empty")).unwrap();
    symlink("deep/er", peer.client("test/link")).unwrap();
    peer
}

#[test]
fn a_workspace_is_what_the_client_has_and_costs_nothing_the_second_time() {
    let mut peer = demo();
    assert_eq!(peer.update(), counts(0, 3, 11, 0));
    assert_eq!(peer.update(), counts(3, 0, 0, 0));
    let mut peer = peer.restart();
    assert_eq!(peer.update(), counts(3, 0, 0, 0));
}

#[test]
fn only_what_the_client_changed_is_written() {
    let mut peer = demo();
    peer.update();
    peer.write("test/a.js", "AA");
    peer.write("test/new.js", "n");
    fs::remove_dir_all(peer.client("test/deep")).unwrap();
    fs::remove_file(peer.client("test/link")).unwrap();
    symlink("a.js", peer.client("test/link")).unwrap();
    fs::set_permissions(peer.client("out/d8"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(peer.update(), counts(0, 3, 9, 2));
    // Kinds that change into one another.
    fs::remove_file(peer.client("out/d8")).unwrap();
    peer.write("out/d8/now/a/directory", "x");
    fs::remove_dir(peer.client("test/empty")).unwrap();
    peer.write("test/empty", "a file");
    fs::remove_file(peer.client("test/link")).unwrap();
    peer.write("test/link/now", "x");
    peer.update();
    fs::remove_dir_all(peer.client("out/d8")).unwrap();
    symlink("../test", peer.client("out/d8")).unwrap();
    fs::remove_dir_all(peer.client("test/link")).unwrap();
    peer.write("test/link", "a file");
    peer.update();
}

#[test]
fn whatever_a_test_does_to_its_inputs_is_put_right() {
    let mut peer = demo();
    peer.update();
    // Same size and date: only ctime tells.
    let a = peer.at("test/a.js");
    let modified = fs::metadata(&a).unwrap().modified().unwrap();
    fs::write(&a, "XX").unwrap();
    fs::File::options().write(true).open(&a).unwrap().set_modified(modified).unwrap();
    fs::set_permissions(peer.at("out/d8"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(peer.at("test/deep/er/b.js")).unwrap();
    fs::write(peer.at("test/left.tmp"), "x").unwrap();
    fs::create_dir_all(peer.at("core/dumps/more")).unwrap();
    fs::write(peer.at("core/dumps/more/core"), "x").unwrap();
    fs::remove_file(peer.at("test/link")).unwrap();
    fs::set_permissions(peer.at("test/empty"), fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(peer.update(), counts(0, 3, 11, 2));
    assert_eq!(fs::metadata(peer.at("test/empty")).unwrap().mode() & 0o7777, 0o755);
    assert_eq!(peer.update(), counts(3, 0, 0, 0));
}

#[test]
fn a_workspace_that_was_removed_or_replaced_is_made_anew() {
    let mut peer = demo();
    peer.update();
    fs::remove_dir_all(peer.at("")).unwrap();
    fs::remove_dir(peer.dir.path().join("workspace/trash")).unwrap();
    assert_eq!(peer.update(), counts(0, 3, 11, 0));
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "precious").unwrap();
    fs::remove_dir_all(peer.at("")).unwrap();
    symlink(outside.path(), peer.workspace.root()).unwrap();
    assert_eq!(peer.update(), counts(0, 3, 11, 0));
    assert_eq!(listing(outside.path()).len(), 1);
}

#[test]
fn a_test_that_writes_to_its_input_does_not_change_the_blob() {
    let mut peer = demo();
    fs::write(peer.client("large"), large()).unwrap();
    let tree = peer.send();
    peer.update();
    for (digest, source) in &tree.files {
        let text = fs::read(&source.path).unwrap();
        assert_eq!(peer.store.read(digest).unwrap(), Some(text));
        if let Some(Located::File { path, .. }) = peer.store.locate(digest) {
            assert_eq!(fs::metadata(path).unwrap().nlink(), 1);
        }
    }
    fs::write(peer.at("test/a.js"), "XX").unwrap();
    assert_eq!(peer.store.read(&Digest::of(b"aa")).unwrap().as_deref(), Some(&b"aa"[..]));
}

#[test]
fn links_that_a_test_left_are_never_followed() {
    let mut peer = demo();
    peer.update();
    let outside = tempfile::tempdir().unwrap();
    let precious = outside.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    fs::set_permissions(&precious, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o700)).unwrap();
    // A directory, a file, something new, and a hard link, all leading out.
    fs::remove_dir_all(peer.at("test/deep")).unwrap();
    symlink(outside.path(), peer.at("test/deep")).unwrap();
    fs::remove_file(peer.at("test/a.js")).unwrap();
    symlink(&precious, peer.at("test/a.js")).unwrap();
    symlink(outside.path(), peer.at("new")).unwrap();
    fs::create_dir(peer.at("newer")).unwrap();
    symlink(outside.path(), peer.at("newer/link")).unwrap();
    fs::hard_link(&precious, peer.at("out/hard")).unwrap();
    fs::remove_file(peer.at("out/d8")).unwrap();
    fs::hard_link(&precious, peer.at("out/d8")).unwrap();
    peer.update();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert_eq!(fs::metadata(&precious).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(outside.path()).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn directories_of_any_depth_are_removed() {
    let mut peer = demo();
    peer.update();
    let mut at = confined::open_top(peer.workspace.root()).unwrap();
    // More than a process has descriptors by default.
    for _ in 0..1100 {
        rustix::fs::mkdirat(&at, c"d", rustix::fs::Mode::RWXU).unwrap();
        at = confined::open_directory(&at, b"d").unwrap();
    }
    drop(at);
    assert_eq!(peer.update(), counts(3, 0, 0, 1));
    assert_eq!(fs::read_dir(peer.dir.path().join("workspace/trash")).unwrap().count(), 0);
}

#[test]
fn what_an_earlier_process_left_is_removed() {
    let mut peer = demo();
    peer.update();
    let trash = peer.dir.path().join("workspace/trash");
    fs::create_dir_all(trash.join("0/1/2")).unwrap();
    fs::write(trash.join("0/file"), "x").unwrap();
    let peer = peer.restart();
    assert_eq!(fs::read_dir(&trash).unwrap().count(), 0);
    // Killed before the state was written: nothing of it counts.
    fs::remove_file(peer.dir.path().join("workspace/state")).unwrap();
    fs::write(peer.at("test/a.js"), "a torn fi").unwrap();
    let mut peer = peer.restart();
    assert_eq!(peer.update(), counts(0, 3, 11, 0));
    fs::write(peer.dir.path().join("workspace/state"), "FLWORK\0\x01 nonsense").unwrap();
    let mut peer = peer.restart();
    assert_eq!(peer.update(), counts(0, 3, 11, 0));
}

#[test]
fn what_the_store_lacks_is_named_and_nothing_is_undone() {
    let mut peer = demo();
    peer.update();
    peer.write("test/a.js", "new a");
    peer.write("out/more", "more");
    // The directories' blobs lie in another pack than these two.
    let tree = peer.send();
    let gone: Vec<Digest> = [&b"new a"[..], b"more"].map(Digest::of).into();
    gone.iter().for_each(|digest| peer.store.damaged(digest));
    let directories = peer.store.missing(tree.directories.keys().copied());
    peer.ship(&tree, directories);
    let mut expected = gone;
    expected.sort();
    let missing = peer.update_to(tree.root).unwrap_err();
    assert!(matches!(missing, WorkspaceError::Missing(list) if list == expected));
    assert_eq!(peer.update(), counts(2, 2, 9, 0));
    // A directory is as good a reason.
    let gone = peer.send().root;
    peer.store.damaged(&gone);
    assert!(matches!(peer.update_to(gone), Err(WorkspaceError::Missing(list)) if list.contains(&gone)));
}

#[test]
fn a_damaged_blob_is_not_laid_out() {
    let mut peer = demo();
    fs::write(peer.client("out/large"), large()).unwrap();
    let tree = peer.send();
    let mut peer = peer.restart();
    let digest = Digest::of(&large());
    let Some(Located::File { path, .. }) = peer.store.locate(&digest) else { panic!("a file of its own") };
    fs::remove_file(&path).unwrap();
    fs::write(&path, "ENGINE").unwrap();
    assert!(matches!(peer.update_to(tree.root), Err(WorkspaceError::Missing(list)) if list == [digest]));
    assert!(!path.exists());
    assert_eq!(peer.update(), counts(3, 1, 3 << 20, 0));
}

#[test]
fn a_damaged_pack_is_not_laid_out() {
    let mut peer = demo();
    let tree = peer.send();
    // Directories first, so that the pack of the files is another one.
    let files: Vec<_> = tree.files.keys().copied().collect();
    peer.store.damaged(&files[0]);
    peer.ship(&tree, tree.directories.keys().copied().collect());
    peer.ship(&tree, files.clone());
    let mut peer = peer.restart();
    for entry in fs::read_dir(peer.dir.path().join("blobs/packs")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        // The one with the files, whose list is in order.
        if bytes[..16 + 3 * 36].windows(32).any(|window| window == files[0].0) {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
        }
    }
    assert!(matches!(peer.update_to(tree.root), Err(WorkspaceError::Missing(list)) if list == files));
    assert_eq!(peer.update(), counts(0, 3, 11, 0));
}

#[test]
fn files_are_laid_out_while_their_blobs_come_and_what_came_is_known_after_a_break() {
    let mut peer = demo();
    fs::write(peer.client("large"), large()).unwrap();
    let tree = peer.scan();
    let directories: Vec<_> = tree.directories.keys().copied().collect();
    peer.ship(&tree, directories);
    let found = flotilla_messages::inputs::survey(tree.root, &TreeLimits::default(), |digest| {
        peer.store.read(digest).map_err(WorkspaceError::from)
    })
    .unwrap();
    let files = peer.store.missing(found.files.keys().copied());
    let mut laying = peer.workspace.begin(found).unwrap();
    for pack in Packs::new(&tree, files).unwrap() {
        let pack = pack.unwrap();
        let unpacked = pack.unpack().unwrap();
        peer.store.put(Owner(0), &pack, &unpacked).unwrap();
        laying.take(&unpacked).unwrap();
    }
    assert_eq!(fs::read_to_string(peer.at("test/a.js")).unwrap(), "aa");
    assert!(!peer.at("large").exists(), "what comes in pieces waits until it is whole");
    assert_eq!(peer.workspace.leave(laying).unwrap(), counts(0, 3, 11, 0));
    assert_eq!(peer.update(), counts(3, 1, 3 << 20, 0));
}

#[test]
fn a_hostile_tree_is_refused_before_anything_is_made() {
    let mut peer = Peer::new();
    let link = |target: &[u8]| EntryKind::Symlink { target: Target::new(target).unwrap() };
    let EntryKind::Directory { digest } = peer.forge(&[("a", link(b"x")), ("b", link(b"../../etc"))]) else {
        unreachable!()
    };
    let error = peer.update_to(digest).unwrap_err();
    assert!(matches!(error, WorkspaceError::Tree(_)), "{error}");
    assert_eq!(error.fault(), crate::content::blobs::Fault::Sender);
    assert!(!peer.workspace.root().exists());
    // A chain of links, each harmless by its text: up through a link, and up again.
    let up = peer.forge(&[("up", link(b"../.."))]);
    let b = peer.forge(&[("c", up)]);
    assert!(Target::new(b"b/c/up/../x").is_err());
    let EntryKind::Directory { digest } = peer.forge(&[("b", b), ("e", link(b"b/c/up"))]) else {
        unreachable!()
    };
    peer.update_to(digest).unwrap();
    assert_eq!(peer.at("e").canonicalize().unwrap(), peer.workspace.root().canonicalize().unwrap());
}

#[test]
fn a_size_that_is_not_the_blobs_is_refused() {
    let mut peer = demo();
    peer.send();
    let digest = Digest::of(b"engine");
    let EntryKind::Directory { digest: root } =
        peer.forge(&[("d8", EntryKind::File { digest, size: 0, executable: true })])
    else {
        unreachable!()
    };
    let error = peer.update_to(root).unwrap_err();
    assert!(matches!(error, WorkspaceError::Size { claimed: 0, actual: 6, .. }), "{error}");
    assert_eq!(error.fault(), crate::content::blobs::Fault::Sender);
}

#[test]
fn two_jobs_do_not_share_a_workspace() {
    let peer = demo();
    let again = Workspace::open(peer.dir.path().join("workspace"));
    assert!(matches!(again, Err(WorkspaceError::Locked(_))));
}

#[test]
fn others_cannot_look_into_it() {
    let mut peer = demo();
    peer.update();
    for name in ["workspace", "blobs"] {
        assert_eq!(fs::metadata(peer.dir.path().join(name)).unwrap().mode() & 0o777, 0o700);
    }
}
