use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flotilla_messages::inputs::{Digest, Directory, EntryKind, SurveyError, TreeLimits, survey};

use super::*;

fn set_mtime(path: &Path, time: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let files_in = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(path, text)| files_in.write(path, text));
        files_in
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn choose(&self, chosen: &[&str]) -> Selection {
        let chosen = chosen.iter().map(PathBuf::from).collect();
        Selection { root: self.path(""), chosen, placed: Vec::new() }
    }

    fn scan(&self, chosen: &[&str]) -> Result<Tree, ScanError> {
        scan(&self.choose(chosen), &mut StatCache::load("/nowhere/cache"))
    }
}

/// Everything in a tree, one line each.
fn lines(tree: &Tree) -> Vec<String> {
    let found = survey(tree.root, &TreeLimits::default(), |digest| {
        Ok::<_, SurveyError>(tree.directories.get(digest).cloned())
    })
    .unwrap();
    assert_eq!(found.missing, []);
    let mut lines = Vec::new();
    for at in &found.directories {
        let path = String::from_utf8_lossy(&at.path);
        lines.push(format!("{path}/"));
        for entry in at.directory.entries() {
            let name = entry.name.to_string_lossy();
            match &entry.node {
                EntryKind::Directory { .. } => {}
                EntryKind::File { digest, size, executable } => {
                    let text = fs::read(&tree.files[digest].path).unwrap();
                    assert_eq!((Digest::of(&text), text.len() as u64), (*digest, *size));
                    let star = if *executable { "*" } else { "" };
                    lines.push(format!("{path}/{name}{star} {}", String::from_utf8_lossy(&text)));
                }
                EntryKind::Symlink { target } => {
                    lines.push(format!("{path}/{name} -> {}", target.to_string_lossy()));
                }
            }
        }
    }
    lines.sort();
    lines
}

fn digest_of(tree: &Tree, name: &str) -> Option<Digest> {
    let root = Directory::decode(&tree.directories[&tree.root]).unwrap();
    match root.get(name.as_bytes())?.node {
        EntryKind::File { digest, .. } => Some(digest),
        _ => None,
    }
}

#[test]
fn a_tree_holds_what_was_chosen() {
    let files =
        Files::new(&[("test/a.js", "a"), ("test/deep/er/b.js", "b"), ("tools/t.py", "t"), ("other", "no")]);
    fs::set_permissions(files.path("tools/t.py"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(files.path("test/empty")).unwrap();
    let tree = files.scan(&["test", "./tools/t.py", "test/deep"]).unwrap();
    let expected = [
        "/",
        "test/",
        "test/a.js a",
        "test/deep/",
        "test/deep/er/",
        "test/deep/er/b.js b",
        "test/empty/",
        "tools/",
        "tools/t.py* t",
    ];
    assert_eq!(lines(&tree), expected);
    assert_eq!(tree.counts, Counts { files: 3, bytes: 3, read: 3 });
}

#[test]
fn equal_files_make_equal_trees_wherever_they_are() {
    let list = [("test/a.js", "a"), ("test/b.js", "b")];
    let (one, other) = (Files::new(&list), Files::new(&list));
    assert_eq!(one.scan(&["test"]).unwrap().root, other.scan(&["test"]).unwrap().root);
    other.write("test/b.js", "c");
    assert_ne!(one.scan(&["test"]).unwrap().root, other.scan(&["test"]).unwrap().root);
}

#[test]
fn the_engine_gets_a_place_in_the_tree() {
    let files = Files::new(&[("test/a.js", "a")]);
    let build = Files::new(&[("real-d8", "engine"), ("data/icu", "icu")]);
    symlink(build.path("real-d8"), build.path("d8")).unwrap();
    let placed = |source: &str, place: &str| Placed { source: build.path(source), place: place.into() };
    let selection = Selection {
        placed: vec![placed("d8", "out/d8"), placed("data", "out/data")],
        ..files.choose(&["test"])
    };
    let tree = scan(&selection, &mut StatCache::load("/nowhere/cache")).unwrap();
    let expected = ["/", "out/", "out/d8 engine", "out/data/", "out/data/icu icu", "test/", "test/a.js a"];
    assert_eq!(lines(&tree), expected);
}

#[test]
fn two_things_at_one_place_are_refused_unless_they_are_the_same() {
    let files = Files::new(&[("test/a.js", "a"), ("same", "a"), ("different", "b")]);
    let with = |source: &str, place: &str| {
        let placed = vec![Placed { source: files.path(source), place: place.into() }];
        scan(&Selection { placed, ..files.choose(&["test"]) }, &mut StatCache::load("/nowhere/cache"))
    };
    assert!(with("same", "test/a.js").is_ok());
    assert!(matches!(with("different", "test/a.js"), Err(ScanError::Conflict(_))));
    assert!(matches!(with("same", "test"), Err(ScanError::Conflict(_))));
    assert!(matches!(with("same", "test/a.js/x"), Err(ScanError::Conflict(_))));
    assert!(matches!(with("same", ""), Err(ScanError::Outside(_))));
    assert!(matches!(with("same", "../x"), Err(ScanError::Outside(_))));
}

#[test]
fn links_inside_the_root_are_kept_and_others_are_an_error() {
    let files = Files::new(&[("test/a.js", "a"), ("test/deep/b.js", "b")]);
    let link = |target: &str, at: &str| symlink(target, files.path(at)).unwrap();
    link("a.js", "test/near");
    link("../a.js", "test/deep/up");
    link("deep/../a.js", "test/winding");
    link("user@host.123", "test/.#lock");
    link(files.path("test/deep").to_str().unwrap(), "test/absolute");
    let tree = files.scan(&["test"]).unwrap();
    let links: Vec<_> = lines(&tree).into_iter().filter(|line| line.contains("->")).collect();
    let expected = [
        "test/.#lock -> user@host.123",
        "test/absolute -> deep",
        "test/deep/up -> ../a.js",
        "test/near -> a.js",
        "test/winding -> a.js",
    ];
    assert_eq!(links, expected);
    for target in ["/etc/passwd", "../../..", "../../../../etc", "deep/../../../x", "/nowhere/at/all"] {
        link(target, "test/deep/bad");
        let error = files.scan(&["test"]).unwrap_err();
        assert!(
            matches!(&error, ScanError::Leaves { path, .. } if *path == files.path("test/deep/bad")),
            "{error}"
        );
        fs::remove_file(files.path("test/deep/bad")).unwrap();
    }
}

#[test]
fn a_chosen_link_is_not_followed_out_of_the_root() {
    let files = Files::new(&[("test/a.js", "a")]);
    symlink("/etc", files.path("etc")).unwrap();
    assert!(matches!(files.scan(&["etc"]), Err(ScanError::Leaves { .. })));
    assert!(matches!(files.scan(&["../x"]), Err(ScanError::Outside(_))));
    assert!(matches!(files.scan(&["/etc"]), Err(ScanError::Outside(_))));
    let error = files.scan(&["gone"]).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("/gone: No such file"), "{error}");
}

#[test]
fn a_pipe_is_refused_and_repositories_are_left_out() {
    let files = Files::new(&[("test/a.js", "a"), ("test/.git/HEAD", "x"), ("test/x/__pycache__/y", "x")]);
    assert_eq!(lines(&files.scan(&["test"]).unwrap()), ["/", "test/", "test/a.js a", "test/x/"]);
    let fifo = files.path("test/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    assert!(matches!(files.scan(&["test"]), Err(ScanError::Special(path)) if path == fifo));
}

#[test]
fn the_whole_root_can_be_chosen() {
    let files = Files::new(&[("a", "a"), ("b/c", "c")]);
    assert_eq!(lines(&files.scan(&[""]).unwrap()), ["/", "/a a", "b/", "b/c c"]);
}

#[test]
fn an_unchanged_file_is_not_read_again_and_a_changed_one_is() {
    let files = Files::new(&[("old", "one"), ("new", "two")]);
    set_mtime(&files.path("old"), long_ago());
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("stat-cache");
    let mut cache = StatCache::load(&path);
    let selection = files.choose(&["old", "new"]);
    let first = scan(&selection, &mut cache).unwrap();
    assert_eq!(first.counts.read, 2);
    assert_eq!(cache.len(), 0, "both were changed just now, as their ctime shows");

    // As if both had been scanned long after their last change.
    for name in ["old", "new"] {
        let stat = file::Stat::of(&fs::symlink_metadata(files.path(name)).unwrap());
        let digest = digest_of(&first, name).unwrap();
        cache.absorb(vec![stat_cache::StatRecord::settled(stat, digest, i64::MAX).unwrap()]);
    }
    cache.save().unwrap();
    let mut cache = StatCache::load(&path);
    let second = scan(&selection, &mut cache).unwrap();
    assert_eq!((second.root, second.counts.read), (first.root, 0));

    // Same size, and the old date: only ctime tells.
    fs::write(files.path("old"), "ONE").unwrap();
    set_mtime(&files.path("old"), long_ago());
    let third = scan(&selection, &mut cache).unwrap();
    assert_eq!(third.counts.read, 1);
    assert_eq!(digest_of(&third, "old"), Some(Digest::of(b"ONE")));
}

#[test]
fn a_damaged_cache_costs_time_and_nothing_else() {
    let files = Files::new(&[("a", "a")]);
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("stat-cache");
    fs::write(&path, "FLSTAT\0\x01 and nonsense").unwrap();
    let mut cache = StatCache::load(&path);
    assert!(cache.is_empty());
    assert_eq!(scan(&files.choose(&["a"]), &mut cache).unwrap().counts.read, 1);
}

fn received(packs: Packs<'_>) -> Vec<(Digest, Vec<u8>)> {
    let mut blobs: Vec<(Digest, Vec<u8>)> = Vec::new();
    for pack in packs {
        let unpacked = pack.unwrap().unpack().unwrap();
        for part in unpacked.parts() {
            if part.offset == 0 {
                blobs.push((part.digest, Vec::new()));
            }
            let (digest, bytes) = blobs.last_mut().unwrap();
            assert_eq!((*digest, bytes.len() as u64), (part.digest, part.offset));
            bytes.extend_from_slice(part.bytes);
        }
    }
    blobs
}

#[test]
fn packs_hold_all_that_was_asked_for_and_large_files_in_pieces() {
    let files = Files::new(&[("test/a.js", "a"), ("test/b.js", ""), ("test/z.js", "z")]);
    let large: Vec<u8> = (0..2_500_000_u32).map(|i| (i.wrapping_mul(i) >> 9) as u8).collect();
    fs::write(files.path("test/engine"), &large).unwrap();
    let tree = files.scan(&["test"]).unwrap();
    let all: Vec<_> = tree.directories.keys().chain(tree.files.keys()).copied().collect();
    // Asked for twice, sent once.
    let packs = Packs::new(&tree, all.iter().chain(&all).copied()).unwrap();
    assert_eq!(packs.blobs_left(), 6);
    let blobs = received(packs);
    assert_eq!(blobs.len(), 6);
    assert!(blobs.iter().all(|(digest, bytes)| Digest::of(bytes) == *digest));
    assert!(blobs.iter().any(|(_, bytes)| *bytes == large));
    assert_eq!(received(Packs::new(&tree, []).unwrap()), []);
}

#[test]
fn a_file_that_changed_since_the_scan_is_not_sent() {
    // Too large to be kept from the scan.
    let before = "before".repeat(20_000);
    let files = Files::new(&[("a", &before), ("b", "b")]);
    let tree = files.scan(&["a", "b"]).unwrap();
    let asked = || Packs::new(&tree, tree.files.keys().copied()).unwrap();
    for text in ["AFTER!".repeat(20_000), String::new(), format!("{before} and more")] {
        files.write("a", &text);
        let sent: Vec<_> = asked().collect();
        if text.starts_with("before") {
            assert!(matches!(sent[..], [Ok(_)]), "what was asked for is still at the front of it");
        } else {
            let [Err(SendError::Changed(path))] = &sent[..] else { panic!("{sent:?}") };
            assert_eq!(*path, files.path("a"));
        }
    }
    fs::remove_file(files.path("a")).unwrap();
    assert!(matches!(asked().next(), Some(Err(SendError::Io { .. }))));
    // What is small is sent as it was when it was scanned.
    files.write("b", "c");
    let small = tree.files.keys().copied().filter(|digest| *digest == Digest::of(b"b"));
    assert_eq!(Packs::new(&tree, small).unwrap().filter(Result::is_ok).count(), 1);
    let stranger = Digest::of(b"something else");
    assert!(matches!(Packs::new(&tree, [stranger]), Err(SendError::NotInTree(digest)) if digest == stranger));
}
