use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flotilla_messages::for_tests::skipped;
use flotilla_messages::inputs::{Digest, Pack, PackPart, Packer};

use super::*;

const ME: Owner = Owner(1);
const LIMIT: u64 = 1 << 20;

fn whole(bytes: &[u8]) -> PackPart<'_> {
    claimed(Digest::of(bytes), bytes)
}

fn claimed(digest: Digest, bytes: &[u8]) -> PackPart<'_> {
    PackPart { digest, total: bytes.len() as u64, offset: 0, bytes }
}

fn pack(parts: &[PackPart<'_>]) -> Pack {
    let mut packer = Packer::new().unwrap();
    parts.iter().for_each(|part| packer.add(*part).unwrap());
    packer.finish().unwrap()
}

fn take(store: &mut BlobStore, owner: Owner, parts: &[PackPart<'_>]) -> Result<(), BlobError> {
    let pack = pack(parts);
    store.put(owner, &pack, &pack.unpack().unwrap())
}

/// In a pack of its own.
fn put(store: &mut BlobStore, bytes: &[u8]) -> Digest {
    take(store, ME, &[whole(bytes)]).unwrap();
    Digest::of(bytes)
}

/// In a file of its own.
fn put_large(store: &mut BlobStore, bytes: &[u8]) -> Digest {
    halves(bytes).iter().for_each(|half| take(store, ME, &[*half]).unwrap());
    Digest::of(bytes)
}

/// The files of all packs.
fn packs(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir.join("packs")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn is_verified(store: &mut BlobStore, digest: &Digest) -> bool {
    matches!(store.locate(digest), Some(Located::File { verified: true, .. }))
}

/// A blob in two pieces.
fn halves(bytes: &[u8]) -> [PackPart<'_>; 2] {
    let (front, back) = bytes.split_at(bytes.len() / 2);
    let piece = |offset: usize, bytes| PackPart { offset: offset as u64, bytes, ..whole(bytes) };
    [piece(0, front), piece(front.len(), back)].map(|part| PackPart {
        digest: Digest::of(bytes),
        total: bytes.len() as u64,
        ..part
    })
}

fn file(dir: &Path, digest: &Digest) -> PathBuf {
    let text = digest.to_string();
    dir.join(&text[..2]).join(&text[2..])
}

fn incoming(dir: &Path) -> usize {
    fs::read_dir(dir.join("incoming")).unwrap().count()
}

#[test]
fn blobs_are_there_after_a_restart_and_only_what_is_missing_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    take(&mut store, ME, &[whole(b"one"), whole(b""), whole(b"two")]).unwrap();
    drop(store);
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let [one, empty, two, three] = [&b"one"[..], b"", b"two", b"three"].map(Digest::of);
    assert_eq!(store.missing([three, one, two, empty]), [three]);
    assert_eq!(store.read(&one).unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(store.read(&empty).unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(store.read(&three).unwrap(), None);
    assert_eq!(store.usage(), Usage { blobs: 3, used: 4096, limit: LIMIT });
    assert_eq!(packs(dir.path()).len(), 1);
}

#[test]
fn a_blob_that_is_not_its_digest_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let lie = Digest::of(b"the engine");
    let error = take(&mut store, ME, &[whole(b"good"), claimed(lie, b"malware")]).unwrap_err();
    assert!(matches!(error, BlobError::NotItsDigest { claimed, .. } if claimed == lie));
    assert_eq!(error.fault(), Fault::Sender);
    assert_eq!(store.missing([lie, Digest::of(b"good")]).len(), 2);
    assert!(packs(dir.path()).is_empty());
    // In pieces, it is noticed at the last one.
    let [front, back] = halves(b"malware in pieces").map(|part| PackPart { digest: lie, ..part });
    take(&mut store, ME, &[front]).unwrap();
    assert!(matches!(take(&mut store, ME, &[back]), Err(BlobError::NotItsDigest { .. })));
    assert_eq!(store.missing([lie]), [lie]);
    assert!(!file(dir.path(), &lie).exists());
    assert_eq!(incoming(dir.path()), 0);
    assert_eq!(store.usage().used, 0);
}

#[test]
fn a_blob_comes_in_pieces_from_several_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let bytes = vec![b'x'; 99_999];
    let [front, back] = halves(&bytes);
    take(&mut store, ME, &[front]).unwrap();
    take(&mut store, Owner(2), &[front]).unwrap();
    assert_eq!(store.missing([Digest::of(&bytes)]).len(), 1, "it is not whole");
    take(&mut store, ME, &[back]).unwrap();
    assert_eq!(store.read(&Digest::of(&bytes)).unwrap(), Some(bytes.clone()));
    // The second is too late, and takes no room any more.
    take(&mut store, Owner(2), &[back]).unwrap();
    assert_eq!(incoming(dir.path()), 0);
    assert_eq!(store.usage().used, 25 * 4096);
}

#[test]
fn pieces_out_of_order_are_refused_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let [front, back] = halves(b"0123456789");
    let mut fails = |parts: &[PackPart<'_>]| {
        let result = parts.iter().map(|part| take(&mut store, ME, &[*part])).last().unwrap();
        let error = result.unwrap_err();
        assert_eq!(error.fault(), Fault::Sender);
        assert_eq!((store.usage().used, incoming(dir.path())), (0, 0), "{error}");
        error
    };
    assert!(matches!(fails(&[back]), BlobError::Order { expected: 0, .. }));
    assert!(matches!(fails(&[front, front]), BlobError::Order { expected: 5, .. }));
    assert!(matches!(fails(&[front, PackPart { total: 11, ..back }]), BlobError::Total { .. }));
}

#[test]
fn what_a_lost_connection_began_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let blobs: Vec<Vec<u8>> = (0..5_u8).map(|number| vec![number; 10]).collect();
    for (number, blob) in blobs.iter().enumerate() {
        let result = take(&mut store, ME, &halves(blob)[..1]);
        assert_eq!(matches!(result, Err(BlobError::TooManyBegun(_))), number == 4);
    }
    take(&mut store, Owner(2), &halves(b"another's")[..1]).unwrap();
    store.abandon(ME);
    assert_eq!((store.usage().used, incoming(dir.path())), (4096, 1));
    // As after a kill: what was begun is left on disk.
    std::mem::forget(store);
    fs::remove_file(dir.path().join("lock")).unwrap();
    let store = BlobStore::open(dir.path(), LIMIT).unwrap();
    assert_eq!((store.usage().used, incoming(dir.path())), (0, 0));
}

#[test]
fn the_longest_unused_is_evicted_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), 3 * 4096).unwrap();
    let [one, two, three] = [b"1", b"2", b"3"].map(|bytes| put(&mut store, bytes));
    assert_eq!(store.missing([three, one]), [], "used again");
    drop(store);
    let mut store = BlobStore::open(dir.path(), 3 * 4096).unwrap();
    let four = put(&mut store, b"4");
    assert_eq!(store.missing([one, two, three, four]), [two]);
    assert_eq!(packs(dir.path()).len(), 3);
    drop(store);
    let store = BlobStore::open(dir.path(), 4096).unwrap();
    assert_eq!(store.usage().blobs, 1, "the limit was lowered");
}

#[test]
fn what_a_run_needs_is_not_evicted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), 2 * 4096).unwrap();
    let one = put(&mut store, b"1");
    let pin = store.pin([one, Digest::of(b"2")]);
    put(&mut store, b"2");
    let error = take(&mut store, ME, &[whole(b"3")]).unwrap_err();
    assert!(matches!(error, BlobError::NoRoom { pinned: 8192, limit: 8192, .. }), "{error}");
    assert_eq!(error.fault(), Fault::Infrastructure);
    store.unpin(pin);
    put(&mut store, b"3");
    assert_eq!(store.missing([one]), [one]);
}

#[test]
fn a_blob_damaged_on_disk_is_noticed_at_its_first_use_after_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let [torn, empty, gone] = [&b"torn"[..], b"empty", b"gone"].map(|bytes| put_large(&mut store, bytes));
    drop(store);
    for (digest, bytes) in [(torn, &b"to\0\0"[..]), (empty, b"")] {
        let path = file(dir.path(), &digest);
        fs::remove_file(&path).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    assert!(!is_verified(&mut store, &torn));
    fs::remove_file(file(dir.path(), &gone)).unwrap();
    for digest in [torn, empty, gone] {
        assert_eq!(store.read(&digest).unwrap(), None);
        assert_eq!(store.missing([digest]), [digest], "it is asked for again");
    }
    put_large(&mut store, b"torn");
    assert!(is_verified(&mut store, &torn));
    assert_eq!(store.read(&torn).unwrap().as_deref(), Some(&b"torn"[..]));
}

#[test]
fn a_damaged_pack_is_noticed_when_it_is_read_and_all_in_it_is_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let blobs = [&b"one"[..], b"two"];
    let digests = blobs.map(Digest::of);
    let damage = |store: &mut BlobStore, bytes: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        take(store, ME, &blobs.map(whole)).unwrap();
        let [path] = &packs(dir.path())[..] else { panic!("one pack") };
        let before = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        fs::write(path, bytes(before)).unwrap();
    };
    // In the data, as after a power failure: the list is whole.
    damage(&mut store, &|mut bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bytes
    });
    drop(store);
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    assert_eq!(store.missing(digests), [], "nobody has looked");
    assert_eq!(store.read(&digests[0]).unwrap(), None);
    assert_eq!(store.missing(digests), digests);
    assert_eq!((packs(dir.path()).len(), store.usage().used), (0, 0));
    // In the list, or before it is whole: seen at the start.
    for cut in [0, 20, 60] {
        damage(&mut store, &|bytes| bytes[..cut].to_vec());
        drop(store);
        store = BlobStore::open(dir.path(), LIMIT).unwrap();
        assert_eq!(store.missing(digests), digests);
        assert_eq!(packs(dir.path()).len(), 0);
    }
}

#[test]
fn small_blobs_beside_a_piece_have_files_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    let [front, back] = halves(b"a large blob");
    take(&mut store, ME, &[whole(b"small"), front]).unwrap();
    take(&mut store, ME, &[back, whole(b"another")]).unwrap();
    assert_eq!(packs(dir.path()).len(), 0);
    let all = [&b"small"[..], b"a large blob", b"another"];
    drop(store);
    // As a store of an earlier version has them.
    let mut store = BlobStore::open(dir.path(), LIMIT).unwrap();
    for bytes in all {
        assert_eq!(store.read(&Digest::of(bytes)).unwrap().as_deref(), Some(bytes));
    }
}

#[test]
fn two_processes_do_not_share_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = BlobStore::open(dir.path(), LIMIT).unwrap();
    assert!(matches!(BlobStore::open(dir.path(), LIMIT), Err(BlobError::Locked(_))));
    drop(store);
    assert!(BlobStore::open(dir.path(), LIMIT).is_ok());
}

#[test]
fn other_files_in_the_directory_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("ab")).unwrap();
    fs::write(dir.path().join("ab/notes"), "x").unwrap();
    assert_eq!(BlobStore::open(dir.path(), LIMIT).unwrap().usage().blobs, 0);
    assert!(dir.path().join("ab/notes").exists());
}

/// A small disk of its own, gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Nothing where that is not allowed.
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(dir.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_is_this_machines_fault_and_no_corrupt_blob() {
    let Some(disk) = SmallDisk::new() else {
        skipped("root, to mount a small disk");
        return;
    };
    let dir = disk.0.path();
    let mut store = BlobStore::open(dir, LIMIT).unwrap();
    // Nothing that zstd makes smaller.
    let mut large = vec![0; 200 << 10];
    fastrand::Rng::with_seed(1).fill(&mut large);
    let error = take(&mut store, ME, &[whole(&large)]).unwrap_err();
    assert!(matches!(error, BlobError::DiskFull { .. }), "{error}");
    assert_eq!(error.fault(), Fault::Infrastructure);
    let [front, back] = halves(&large);
    let results = [front, back].map(|part| take(&mut store, ME, &[part]).map_err(|error| error.fault()));
    assert!(results.contains(&Err(Fault::Infrastructure)));
    assert_eq!(store.missing([Digest::of(&large)]).len(), 1);
    assert_eq!((store.usage().used, incoming(dir)), (0, 0));
    let small = put(&mut store, b"small");
    assert_eq!(store.read(&small).unwrap().as_deref(), Some(&b"small"[..]));
}
