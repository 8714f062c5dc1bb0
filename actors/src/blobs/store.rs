//! The store: thin file handling around the ledger.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flotilla_messages::inputs::{Digest, Hasher, Part, Unpacked};
use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT};

use super::error::BlobError;
use super::ledger::{Ledger, PinId, Pinned};

const INCOMING: &str = "incoming";
/// Blobs that one owner may have begun: packs come one after the other, so one is what it takes.
const MOST_BEGUN: usize = 4;

/// Who sends: a connection, by a number that its holder gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u64);

/// Blobs by content, on disk.
///
/// Plain synchronous calls; one thread at a time owns the store. [`missing`](Self::missing), [`pin`](Self::pin),
/// [`unpin`](Self::unpin), [`locate`](Self::locate) and [`usage`](Self::usage) touch memory only. All others block on the
/// disk: [`put`](Self::put) for a pack of 1 MiB some milliseconds, on all cores; [`read`](Self::read) as long as the
/// blob is large; [`open`](Self::open) and [`flush`](Self::flush) some microseconds for every blob there is, or was used.
#[derive(Debug)]
pub struct BlobStore {
    dir: PathBuf,
    ledger: Ledger,
    begun: BTreeMap<(Owner, Digest), Begun>,
    next_incoming: u64,
    /// Held by an advisory lock.
    _lock: File,
}

/// A blob of which a part has come.
#[derive(Debug)]
struct Begun {
    incoming: Incoming,
    total: u64,
    offset: u64,
    hasher: Hasher,
}

/// Where a blob is. It stays there while it is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its file: to be read, never written or linked to.
    pub path: PathBuf,
    /// In bytes.
    pub size: u64,
    /// Whether its bytes are known to be those of its digest. If not, whoever reads them compares, and says
    /// [`verified`](BlobStore::verified) or [`damaged`](BlobStore::damaged).
    pub verified: bool,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Blobs.
    pub blobs: usize,
    /// Bytes on disk, in whole blocks, those promised to blobs on their way included.
    pub used: u64,
    /// Bytes it may take.
    pub limit: u64,
}

impl BlobStore {
    /// The store in that directory, which is made unless it is there; limited to so many bytes on disk, counted in
    /// whole blocks. What an earlier process left unfinished is removed, and what is above the limit evicted.
    ///
    /// # Errors
    /// [`BlobError::Locked`] when another process has it open, and what the system refuses.
    pub fn open(dir: impl Into<PathBuf>, limit: u64) -> Result<Self, BlobError> {
        let dir = dir.into();
        make_directory(&dir)?;
        let lock_path = dir.join("lock");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = opened.map_err(BlobError::io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BlobError::Locked(dir)),
            Err(TryLockError::Error(error)) => return Err(BlobError::io("lock", &lock_path)(error)),
        }
        let incoming = dir.join(INCOMING);
        if let Err(error) = fs::remove_dir_all(&incoming)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(BlobError::io("remove", &incoming)(error));
        }
        make_directory(&incoming)?;
        let mut ledger = Ledger::new(limit);
        let found: Vec<_> =
            (0..=u8::MAX).into_par_iter().map(|first| index(&dir, first)).collect::<Result<_, _>>()?;
        for (digest, size, used) in found.into_iter().flatten() {
            ledger.insert(digest, size, used, false);
        }
        let mut store = Self { dir, ledger, begun: BTreeMap::new(), next_incoming: 0, _lock: lock };
        let evicted = store.ledger.shed();
        store.evict(&evicted)?;
        Ok(store)
    }

    /// Those of the digests that are not here, in the order given. The others count as used now.
    pub fn missing(&mut self, digests: impl IntoIterator<Item = Digest>) -> Vec<Digest> {
        let now = now();
        digests.into_iter().filter(|digest| !self.ledger.touch(digest, now)).collect()
    }

    /// Takes all parts of a pack. A blob that is here already is passed over.
    ///
    /// Whether each was asked for, and has the size that its tree gives, is for the caller to check before: room is made
    /// for what a part says of the whole.
    ///
    /// # Errors
    /// The first [`BlobError`] of any part; the parts that were in order are kept. [`BlobError::fault`] tells whose
    /// fault it is.
    pub fn put(&mut self, owner: Owner, pack: &Unpacked) -> Result<(), BlobError> {
        let (here, new): (Vec<_>, Vec<_>) =
            pack.parts().partition(|part| self.ledger.size(&part.digest).is_some());
        // Another owner was quicker.
        here.iter().for_each(|part| self.abandon_one(owner, part.digest));
        let (whole, pieces): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|part| part.offset == 0 && part.is_last());
        let mut promised = Vec::with_capacity(whole.len());
        let mut result = Ok(());
        for part in whole {
            match self.promise(part.total) {
                Ok(()) => promised.push((part, self.incoming_path())),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let dir = &self.dir;
        let written: Vec<_> =
            promised.into_par_iter().map(|(part, path)| (part, write_whole(dir, &part, path))).collect();
        for (part, written) in written {
            self.ledger.release(part.total);
            match written {
                Ok(()) => self.ledger.insert(part.digest, part.total, now(), true),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result?;
        pieces.into_iter().try_for_each(|part| self.put_piece(owner, part))
    }

    /// Forgets what this owner has begun, when its connection ends for instance.
    pub fn abandon(&mut self, owner: Owner) {
        let of_owner = (owner, Digest([0; Digest::SIZE]))..=(owner, Digest([u8::MAX; Digest::SIZE]));
        let begun: Vec<_> = self.begun.range(of_owner).map(|((_, digest), _)| *digest).collect();
        begun.into_iter().for_each(|digest| self.abandon_one(owner, digest));
    }

    /// All of a blob, verified; nothing when it is not here, which is so too when it turns out to be damaged.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn read(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        let Some(Located { path, size, verified }) = self.locate(digest) else { return Ok(None) };
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(size.saturating_add(1)).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.damaged(digest);
                return Ok(None);
            }
            Err(error) => return Err(BlobError::io("read", path)(error)),
        }
        if !verified && Digest::of(&bytes) != *digest {
            self.damaged(digest);
            return Ok(None);
        }
        self.ledger.verified(digest);
        Ok(Some(bytes))
    }

    /// Where a blob is, if it is here; it counts as used now. Touches no file.
    pub fn locate(&mut self, digest: &Digest) -> Option<Located> {
        let size = self.ledger.size(digest)?;
        self.ledger.touch(digest, now());
        Some(Located { path: path(&self.dir, digest), size, verified: self.ledger.is_verified(digest) })
    }

    /// That a [located](Self::locate) blob was found to be its digest.
    pub fn verified(&mut self, digest: &Digest) {
        self.ledger.verified(digest);
    }

    /// That a [located](Self::locate) blob was found to be something else, or gone. It is [missing](Self::missing)
    /// from then on.
    pub fn damaged(&mut self, digest: &Digest) {
        log::warn!("blob {digest} is damaged or gone; it will be asked for again");
        self.ledger.remove(digest);
        let path = path(&self.dir, digest);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("cannot remove {}: {error}", path.display());
        }
    }

    /// Keeps these from being evicted, until [`unpin`](Self::unpin); those that are not here yet as well.
    pub fn pin(&mut self, digests: impl IntoIterator<Item = Digest>) -> PinId {
        self.ledger.pin(digests)
    }

    /// Takes a pin away.
    pub fn unpin(&mut self, pin: PinId) {
        self.ledger.unpin(pin);
    }

    /// How much it holds.
    pub fn usage(&self) -> Usage {
        Usage { blobs: self.ledger.len(), used: self.ledger.used(), limit: self.ledger.limit() }
    }

    /// Writes down when blobs were last used, for the next start. Once a minute is enough; dropping the store does it.
    pub fn flush(&mut self) {
        for (digest, used) in self.ledger.take_touched() {
            let time = Timespec { tv_sec: used.div_euclid(SECOND), tv_nsec: used.rem_euclid(SECOND) as _ };
            let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT as _ };
            let times = Timestamps { last_access: omit, last_modification: time };
            // Costs nothing but a worse choice of what to evict.
            let _ = rustix::fs::utimensat(CWD, path(&self.dir, &digest), &times, AtFlags::SYMLINK_NOFOLLOW);
        }
    }

    fn put_piece(&mut self, owner: Owner, part: Part<'_>) -> Result<(), BlobError> {
        let result = self.try_put_piece(owner, part);
        if result.is_err() {
            self.abandon_one(owner, part.digest);
        }
        result
    }

    fn try_put_piece(&mut self, owner: Owner, part: Part<'_>) -> Result<(), BlobError> {
        let Part { digest, total, offset, bytes } = part;
        let key = (owner, digest);
        if !self.begun.contains_key(&key) {
            if offset != 0 {
                return Err(BlobError::Order { digest, offset, expected: 0 });
            }
            if self.begun.keys().filter(|(other, _)| *other == owner).count() >= MOST_BEGUN {
                return Err(BlobError::TooManyBegun(MOST_BEGUN));
            }
            self.promise(total)?;
            let incoming = match Incoming::create(self.incoming_path()) {
                Ok(incoming) => incoming,
                Err(error) => {
                    self.ledger.release(total);
                    return Err(error);
                }
            };
            self.begun.insert(key, Begun { incoming, total, offset: 0, hasher: Hasher::new() });
        }
        let Some(begun) = self.begun.get_mut(&key) else { return Ok(()) };
        if begun.total != total {
            return Err(BlobError::Total { digest, total, expected: begun.total });
        }
        if begun.offset != offset {
            return Err(BlobError::Order { digest, offset, expected: begun.offset });
        }
        begun.incoming.write(bytes)?;
        begun.hasher.update(bytes);
        begun.offset += bytes.len() as u64;
        if !part.is_last() {
            return Ok(());
        }
        let actual = begun.hasher.digest();
        if actual != digest {
            return Err(BlobError::NotItsDigest { claimed: digest, actual });
        }
        let Some(begun) = self.begun.remove(&key) else { return Ok(()) };
        self.ledger.release(total);
        begun.incoming.keep(&path(&self.dir, &digest))?;
        self.ledger.insert(digest, total, now(), true);
        Ok(())
    }

    fn abandon_one(&mut self, owner: Owner, digest: Digest) {
        if let Some(begun) = self.begun.remove(&(owner, digest)) {
            self.ledger.release(begun.total);
        }
    }

    /// Makes room for a blob and promises it.
    fn promise(&mut self, size: u64) -> Result<(), BlobError> {
        let limit = self.ledger.limit();
        let evicted =
            self.ledger.promise(size).map_err(|Pinned(pinned)| BlobError::NoRoom { size, limit, pinned })?;
        let result = self.evict(&evicted);
        if result.is_err() {
            self.ledger.release(size);
        }
        result
    }

    fn evict(&self, digests: &[Digest]) -> Result<(), BlobError> {
        for digest in digests {
            let path = path(&self.dir, digest);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(BlobError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn incoming_path(&mut self) -> PathBuf {
        let number = self.next_incoming;
        self.next_incoming += 1;
        self.dir.join(INCOMING).join(number.to_string())
    }
}

impl Drop for BlobStore {
    fn drop(&mut self) {
        self.flush();
    }
}

/// A file without its name yet, gone when dropped unless it is kept.
#[derive(Debug)]
struct Incoming {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Incoming {
    fn create(path: PathBuf) -> Result<Self, BlobError> {
        // Nobody writes to a blob, its owner by mistake included.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&path);
        let file = opened.map_err(BlobError::io("write", &path))?;
        Ok(Self { file, path, kept: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.file.write_all(bytes).map_err(BlobError::io("write", &self.path))
    }

    fn keep(mut self, path: &Path) -> Result<(), BlobError> {
        let mut renamed = fs::rename(&self.path, path);
        if let (Err(error), Some(parent)) = (&renamed, path.parent())
            && error.kind() == io::ErrorKind::NotFound
        {
            make_directory(parent)?;
            renamed = fs::rename(&self.path, path);
        }
        self.kept = renamed.is_ok();
        renamed.map_err(BlobError::io("write", path))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept {
            // What stays is removed at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn write_whole(dir: &Path, part: &Part<'_>, incoming: PathBuf) -> Result<(), BlobError> {
    let actual = Digest::of(part.bytes);
    if actual != part.digest {
        return Err(BlobError::NotItsDigest { claimed: part.digest, actual });
    }
    let mut incoming = Incoming::create(incoming)?;
    incoming.write(part.bytes)?;
    incoming.keep(&path(dir, &part.digest))
}

fn path(dir: &Path, digest: &Digest) -> PathBuf {
    let text = digest.to_string();
    let (first, rest) = text.split_at(2);
    dir.join(first).join(rest)
}

/// The blobs whose digests begin with that byte: digest, size and time of use.
fn index(dir: &Path, first: u8) -> Result<Vec<(Digest, u64, i64)>, BlobError> {
    let first = format!("{first:02x}");
    let dir = dir.join(&first);
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BlobError::io("read", &dir))?,
    };
    let mut blobs = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BlobError::io("read", &dir))?;
        let name = entry.file_name();
        let digest = name.to_str().and_then(|rest| format!("{first}{rest}").parse().ok());
        let meta = entry.metadata().map_err(BlobError::io("read", entry.path()))?;
        match digest {
            Some(digest) if meta.is_file() => {
                let used = meta.mtime().saturating_mul(SECOND).saturating_add(meta.mtime_nsec());
                blobs.push((digest, meta.size(), used));
            }
            _ => log::warn!("{} is no blob; it is left alone", entry.path().display()),
        }
    }
    Ok(blobs)
}

fn make_directory(path: &Path) -> Result<(), BlobError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(BlobError::io("make the directory", path))
}

const SECOND: i64 = 1_000_000_000;

/// Nanoseconds since the epoch, as file times are.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().try_into().unwrap_or(i64::MAX)
}
