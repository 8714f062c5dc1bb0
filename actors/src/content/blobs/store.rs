//! The store: thin file handling around the ledger.

use crate::kit::unix_nanos;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_messages::inputs::{Digest, Hasher, Pack, PackPart, Unpacked};
use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT};

use super::error::BlobError;
use super::ledger::{BlobLedger, BlobPlace, PinId, Pinned, Unit};
use super::packed::{self, Body, List};

const INCOMING: &str = "incoming";
const PACKS: &str = "packs";
/// Blobs that one owner may have begun: packs come one after the other, so one is what it takes.
const MOST_BEGUN: usize = 4;
/// Packs that are kept unpacked in memory, the ones used last: directories lie close together in a few.
const KEPT_OPEN: usize = 8;

/// Who sends: a connection, by a number that its holder gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u64);

/// Blobs by content, on disk.
///
/// Plain synchronous calls; one thread at a time owns the store. [`missing`](Self::missing), [`pin`](Self::pin),
/// [`unpin`](Self::unpin), [`locate`](Self::locate) and [`usage`](Self::usage) touch memory only. All others block on the
/// disk: [`put`](Self::put) for a pack of 1 MiB about a millisecond, on all cores; [`read`](Self::read) and
/// [`body`](Self::body) as long as the blob or pack is large; [`open`](Self::open) and [`flush`](Self::flush) some
/// microseconds for every file there is, or was used.
#[derive(Debug)]
pub struct BlobStore {
    dir: PathBuf,
    ledger: BlobLedger,
    begun: BTreeMap<(Owner, Digest), PartialBlob>,
    /// The one used last comes last.
    bodies: VecDeque<(PackName, Arc<Body>)>,
    next_incoming: u64,
    /// Held by an advisory lock.
    _lock: File,
}

/// A blob of which a part has come.
#[derive(Debug)]
struct PartialBlob {
    incoming: Incoming,
    total: u64,
    offset: u64,
    hasher: Hasher,
}

/// Which pack: by the digest of its compressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackName(Digest);

/// Where a blob is. It stays there while it is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// In a file of its own.
    File {
        /// The file: to be read, never written or linked to.
        path: PathBuf,
        /// In bytes.
        size: u64,
        /// Whether its bytes are known to be those of its digest. If not, their reader compares, and says
        /// [`verified`](BlobStore::verified) or [`damaged`](BlobStore::damaged).
        verified: bool,
    },
    /// With others: [`body`](BlobStore::body) has its bytes.
    Packed {
        /// The pack that holds it.
        pack: PackName,
        /// In bytes.
        size: u64,
    },
}

impl Located {
    /// The blob's size in bytes.
    pub fn size(&self) -> u64 {
        let (Self::File { size, .. } | Self::Packed { size, .. }) = self;
        *size
    }
}

/// A piece of a blob.
#[derive(Debug)]
pub struct Piece {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many bytes the whole blob has.
    pub total: u64,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// How many blobs there are.
    pub blobs: usize,
    /// Bytes on disk, in whole blocks, those promised to what is on its way included.
    pub used: u64,
    /// Bytes it may take.
    pub limit: u64,
}

impl BlobStore {
    /// The store in that directory, which is made unless it is there; limited to this many bytes on disk, counted in
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
        let mut ledger = BlobLedger::new(limit);
        let found: Vec<_> =
            (0..=u8::MAX).into_par_iter().map(|first| index(&dir, first)).collect::<Result<_, _>>()?;
        for (digest, size, used) in found.into_iter().flatten() {
            ledger.insert(Unit::Blob(digest), size, [(digest, size)], used, false);
        }
        make_directory(&dir.join(PACKS))?;
        for Indexed { path, name, size, used, list } in packs(&dir.join(PACKS))? {
            let unit = Unit::Pack(name);
            let of_use = list.is_some_and(|list| ledger.insert(unit, size, list, used, false));
            if !of_use {
                log::warn!("{} is damaged, or of no use; it is removed", path.display());
                fs::remove_file(&path).map_err(BlobError::io("remove", &path))?;
            }
        }
        let (begun, bodies) = (BTreeMap::new(), VecDeque::new());
        let mut store = Self { dir, ledger, begun, bodies, next_incoming: 0, _lock: lock };
        let evicted = store.ledger.shed();
        store.evict(&evicted)?;
        Ok(store)
    }

    /// Those of the digests that are not here, in the order given. The others count as used now.
    pub fn missing(&mut self, digests: impl IntoIterator<Item = Digest>) -> Vec<Digest> {
        let now = unix_nanos();
        digests.into_iter().filter(|digest| !self.ledger.touch(digest, now)).collect()
    }

    /// Takes all parts of a pack, of which `unpacked` is the content. A blob that is here already is passed over.
    ///
    /// Whether each was asked for, and has the size that its tree gives, is for the caller to check before: room is made
    /// for what a part says of the whole.
    ///
    /// # Errors
    /// The first [`BlobError`] of any part; nothing of the pack is kept then, but for pieces that were in order.
    /// [`BlobError::fault`] tells whose fault it is.
    pub fn put(&mut self, owner: Owner, pack: &Pack, unpacked: &Unpacked) -> Result<(), BlobError> {
        let (here, new): (Vec<_>, Vec<_>) =
            unpacked.parts().partition(|part| self.ledger.home(&part.digest).is_some());
        // Another owner was quicker.
        here.iter().for_each(|part| self.abandon_one(owner, part.digest));
        let (whole, pieces): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|part| part.offset == 0 && part.is_last());
        whole.par_iter().try_for_each(|part| match Digest::of(part.bytes) {
            actual if actual == part.digest => Ok(()),
            actual => Err(BlobError::NotItsDigest { claimed: part.digest, actual }),
        })?;
        if whole.is_empty() {
        } else if whole.len() == unpacked.parts().len() {
            self.keep_pack(pack, unpacked)?;
        } else {
            // Beside pieces of large blobs, or what is here already: not worth a file with all of that in it.
            whole.into_iter().try_for_each(|part| self.keep_blob(part))?;
        }
        pieces.into_iter().try_for_each(|part| self.put_piece(owner, part))
    }

    /// Writes a pack, all of whose parts are whole, new and verified.
    fn keep_pack(&mut self, pack: &Pack, unpacked: &Unpacked) -> Result<(), BlobError> {
        let (name, bytes) = packed::file(pack, unpacked);
        let unit = Unit::Pack(name);
        self.keep(unit, &bytes)?;
        let blobs = unpacked.parts().map(|part| (part.digest, part.total));
        self.ledger.insert(unit, bytes.len() as u64, blobs, unix_nanos(), true);
        Ok(())
    }

    /// Writes a blob that is whole, new and verified.
    fn keep_blob(&mut self, part: PackPart<'_>) -> Result<(), BlobError> {
        let unit = Unit::Blob(part.digest);
        self.keep(unit, part.bytes)?;
        self.ledger.insert(unit, part.total, [(part.digest, part.total)], unix_nanos(), true);
        Ok(())
    }

    /// Writes a file under its name.
    fn keep(&mut self, unit: Unit, bytes: &[u8]) -> Result<(), BlobError> {
        let size = bytes.len() as u64;
        self.promise(size)?;
        let written = Incoming::create(self.incoming_path()).and_then(|mut incoming| {
            incoming.write(bytes)?;
            incoming.keep(&path(&self.dir, unit))
        });
        self.ledger.release(size);
        written
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
        let (path, size, verified) = match self.locate(digest) {
            None => return Ok(None),
            Some(Located::Packed { pack, .. }) => {
                let body = self.body(pack)?;
                return Ok(body.and_then(|body| body.get(digest).map(<[u8]>::to_vec)));
            }
            Some(Located::File { path, size, verified }) => (path, size, verified),
        };
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
        self.verified(digest);
        Ok(Some(bytes))
    }

    /// The blobs of a pack, all verified; nothing when it is not here, or damaged, and all in it
    /// [missing](Self::missing) from then on.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn body(&mut self, pack: PackName) -> Result<Option<Arc<Body>>, BlobError> {
        if let Some(at) = self.bodies.iter().position(|(name, _)| *name == pack)
            && let Some((_, body)) = self.bodies.remove(at)
        {
            self.bodies.push_back((pack, Arc::clone(&body)));
            return Ok(Some(body));
        }
        let path = path(&self.dir, Unit::Pack(pack.0));
        let loaded = match File::open(&path).and_then(|mut file| packed::load(&mut file, &pack.0)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BlobError::io("read", path)(error));
            }
            loaded => loaded.ok().flatten(),
        };
        let Some(body) = loaded.map(Arc::new) else {
            self.discard(Unit::Pack(pack.0));
            return Ok(None);
        };
        if self.bodies.len() >= KEPT_OPEN {
            self.bodies.pop_front();
        }
        self.bodies.push_back((pack, Arc::clone(&body)));
        Ok(Some(body))
    }

    /// A piece of a large blob, as it lies on disk: the receiver of all of them verifies. Nothing when it is not here in a
    /// file of its own, or ends before `offset`.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn piece(&mut self, digest: &Digest, offset: u64, most: usize) -> Result<Option<Piece>, BlobError> {
        let Some(Located::File { path, size: total, .. }) = self.locate(digest) else { return Ok(None) };
        let Some(left) = total.checked_sub(offset) else { return Ok(None) };
        let mut bytes = vec![0; most.min(usize::try_from(left).unwrap_or(most))];
        match File::open(&path).and_then(|file| file.read_exact_at(&mut bytes, offset)) {
            Ok(()) => Ok(Some(Piece { bytes, total })),
            Err(error) => Err(BlobError::io("read", path)(error)),
        }
    }

    /// Forgets what this owner has begun of one blob.
    pub fn abandon_blob(&mut self, owner: Owner, digest: Digest) {
        self.abandon_one(owner, digest);
    }

    /// Where a blob is, if it is here; it counts as used now. Touches no file.
    pub fn locate(&mut self, digest: &Digest) -> Option<Located> {
        let BlobPlace { unit, size } = self.ledger.home(digest)?;
        self.ledger.touch(digest, unix_nanos());
        Some(match unit {
            Unit::Pack(name) => Located::Packed { pack: PackName(name), size },
            Unit::Blob(_) => {
                let verified = self.ledger.is_verified(unit);
                Located::File { path: path(&self.dir, unit), size, verified }
            }
        })
    }

    /// That a [located](Self::locate) blob was found to be its digest.
    pub fn verified(&mut self, digest: &Digest) {
        self.ledger.verified(Unit::Blob(*digest));
    }

    /// That a [located](Self::locate) blob was found to be something else, or gone. It is [missing](Self::missing)
    /// from then on, and all that lies in one file with it.
    pub fn damaged(&mut self, digest: &Digest) {
        if let Some(BlobPlace { unit, .. }) = self.ledger.home(digest) {
            self.discard(unit);
        }
    }

    /// Strikes out what is of no use any more.
    fn discard(&mut self, unit: Unit) {
        let path = path(&self.dir, unit);
        log::warn!("{} is damaged or gone; what was in it will be asked for again", path.display());
        self.ledger.remove(unit);
        self.forget(unit);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("cannot remove {}: {error}", path.display());
        }
    }

    /// Drops what is in memory of a pack.
    fn forget(&mut self, unit: Unit) {
        self.bodies.retain(|(name, _)| Unit::Pack(name.0) != unit);
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
        for (unit, used) in self.ledger.take_touched() {
            let time = Timespec { tv_sec: used.div_euclid(SECOND), tv_nsec: used.rem_euclid(SECOND) as _ };
            let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT as _ };
            let times = Timestamps { last_access: omit, last_modification: time };
            // Costs nothing but a worse choice of what to evict.
            let _ = rustix::fs::utimensat(CWD, path(&self.dir, unit), &times, AtFlags::SYMLINK_NOFOLLOW);
        }
    }

    fn put_piece(&mut self, owner: Owner, part: PackPart<'_>) -> Result<(), BlobError> {
        let result = self.try_put_piece(owner, part);
        if result.is_err() {
            self.abandon_one(owner, part.digest);
        }
        result
    }

    fn try_put_piece(&mut self, owner: Owner, part: PackPart<'_>) -> Result<(), BlobError> {
        let PackPart { digest, total, offset, bytes } = part;
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
            self.begun.insert(key, PartialBlob { incoming, total, offset: 0, hasher: Hasher::new() });
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
        let unit = Unit::Blob(digest);
        begun.incoming.keep(&path(&self.dir, unit))?;
        self.ledger.insert(unit, total, [(digest, total)], unix_nanos(), true);
        Ok(())
    }

    fn abandon_one(&mut self, owner: Owner, digest: Digest) {
        if let Some(begun) = self.begun.remove(&(owner, digest)) {
            self.ledger.release(begun.total);
        }
    }

    /// Makes room for a file and promises it.
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

    fn evict(&mut self, units: &[Unit]) -> Result<(), BlobError> {
        for unit in units {
            self.forget(*unit);
            let path = path(&self.dir, *unit);
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

fn path(dir: &Path, unit: Unit) -> PathBuf {
    match unit {
        Unit::Pack(name) => dir.join(PACKS).join(name.to_string()),
        Unit::Blob(digest) => {
            let text = digest.to_string();
            let (first, rest) = text.split_at(2);
            dir.join(first).join(rest)
        }
    }
}

/// A pack file that was found.
struct Indexed {
    path: PathBuf,
    name: Digest,
    size: u64,
    used: i64,
    /// What is in it, unless it is damaged.
    list: Option<List>,
}

/// The packs in that directory, by their lists; whether what is behind these is whole is seen when it is read.
fn packs(dir: &Path) -> Result<Vec<Indexed>, BlobError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(BlobError::io("read", dir))? {
        let path = entry.map_err(BlobError::io("read", dir))?.path();
        match path.file_name().and_then(|name| name.to_str()?.parse::<Digest>().ok()) {
            Some(name) => found.push((path, name)),
            None => log::warn!("{} is no pack; it is left alone", path.display()),
        }
    }
    let index = |(path, name): (PathBuf, Digest)| {
        let io = |error| BlobError::io("read", &path)(error);
        let mut file = File::open(&path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        let list = packed::list(&mut file).map_err(io)?;
        Ok(Indexed { size: meta.size(), used: mtime(&meta), path, name, list })
    };
    found.into_par_iter().map(index).collect()
}

fn mtime(meta: &fs::Metadata) -> i64 {
    meta.mtime().saturating_mul(SECOND).saturating_add(meta.mtime_nsec())
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
                blobs.push((digest, meta.size(), mtime(&meta)));
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
