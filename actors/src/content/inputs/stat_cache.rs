//! Digests of files that have not changed since they were read, kept in one file from run to run.
//!
//! An entry counts while device, inode, size, both times and mode are the same. A file that was changed in the two
//! seconds before it was read gets no entry: it could be changed again without any of these showing it, as times have
//! steps (the rule that git calls racily clean). Nobody can set ctime, so a changed file with its old mtime is noticed.

use std::io;
use std::path::{Path, PathBuf};

use flotilla_messages::inputs::Digest;

use super::file::Stat;
use crate::content::sealed::{self, Magic};
use crate::kit::unix_nanos;

const MAGIC: Magic = *b"FLSTAT\0\x01";
/// How old a change must be, in nanoseconds: twice the coarsest step of file times in use (FAT: 2 s for mtime alone).
const SETTLED: i64 = 2_000_000_000;
/// Entries that no run has asked for since are dropped.
const KEPT_DAYS: u32 = 30;
const RECORD: usize = 5 * 8 + 4 + 4 + Digest::SIZE;

/// Digests by file.
#[derive(Debug)]
pub struct StatCache {
    path: PathBuf,
    /// Sorted by device and inode, each once.
    records: Vec<StatRecord>,
    changed: bool,
}

/// Why the cache cannot be saved. The next run reads all files again, nothing else.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct SaveError {
    path: PathBuf,
    source: io::Error,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatRecord {
    pub stat: Stat,
    pub digest: Digest,
    /// The last day it was asked for, since the epoch.
    pub day: u32,
}

impl StatCache {
    /// The cache in that file. An empty one when there is no such file, or a damaged one, which a warning says.
    pub fn load(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let records = match sealed::read(&path, &MAGIC) {
            Some(body) => body.as_chunks::<RECORD>().0.iter().filter_map(|bytes| read(bytes)).collect(),
            None => Vec::new(),
        };
        Self { path, records, changed: false }
    }

    /// Writes the file, unless nothing is new. Two runners may do so at once: the last one's entries stay.
    ///
    /// # Errors
    /// [`SaveError`] when the system refuses.
    pub fn save(&mut self) -> Result<(), SaveError> {
        if !self.changed {
            return Ok(());
        }
        let body: Vec<u8> = self.records.iter().flat_map(write).collect();
        sealed::write(&self.path, &MAGIC, &body)
            .map_err(|source| SaveError { path: self.path.clone(), source })?;
        self.changed = false;
        Ok(())
    }

    /// Where it is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many files it knows.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The digest of a file, if that has not changed since.
    pub(super) fn get(&self, stat: &Stat) -> Option<Digest> {
        let at = self.records.binary_search_by_key(&(stat.dev, stat.ino), StatRecord::key).ok()?;
        let record = self.records.get(at)?;
        (record.stat == *stat).then_some(record.digest)
    }

    /// Takes what a scan found: files that were read, and files for which [`get`](Self::get) had an answer.
    pub(super) fn absorb(&mut self, found: Vec<StatRecord>) {
        let today = today();
        // A stable sort: of two records of one file, the one found now comes first.
        let mut all = found;
        all.append(&mut self.records.clone());
        all.sort_by_key(StatRecord::key);
        all.dedup_by_key(|record| record.key());
        all.retain(|record| record.day.saturating_add(KEPT_DAYS) >= today);
        self.changed |= all != self.records;
        self.records = all;
    }
}

impl StatRecord {
    /// What is worth keeping of a file that was read: nothing, if it was changed less than two seconds before `began`,
    /// the time when reading began, or is dated later.
    pub(super) fn settled(stat: Stat, digest: Digest, began: i64) -> Option<Self> {
        (stat.mtime.max(stat.ctime) < began.saturating_sub(SETTLED)).then(|| Self {
            stat,
            digest,
            day: today(),
        })
    }

    fn key(&self) -> (u64, u64) {
        (self.stat.dev, self.stat.ino)
    }
}

fn today() -> u32 {
    (unix_nanos() / 86_400_000_000_000) as u32
}

fn write(record: &StatRecord) -> [u8; RECORD] {
    let Stat { dev, ino, size, mtime, ctime, mode } = record.stat;
    let mut bytes = [0; RECORD];
    let numbers = [dev, ino, size, mtime.cast_unsigned(), ctime.cast_unsigned()];
    let parts = numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .chain(mode.to_be_bytes())
        .chain(record.day.to_be_bytes())
        .chain(record.digest.0);
    bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
    bytes
}

fn read(mut bytes: &[u8]) -> Option<StatRecord> {
    let body = &mut bytes;
    let mut number = || sealed::array(body).map(u64::from_be_bytes);
    let [dev, ino, size] = [number()?, number()?, number()?];
    let [mtime, ctime] = [number()?.cast_signed(), number()?.cast_signed()];
    let mode = u32::from_be_bytes(sealed::array(body)?);
    let day = u32::from_be_bytes(sealed::array(body)?);
    let digest = Digest(sealed::array(body)?);
    Some(StatRecord { stat: Stat { dev, ino, size, mtime, ctime, mode }, digest, day })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn stat(ino: u64) -> Stat {
        Stat { dev: 1, ino, size: 3, mtime: 10 * SECOND, ctime: 10 * SECOND, mode: 0o100_644 }
    }

    fn record(ino: u64, day: u32) -> StatRecord {
        StatRecord { stat: stat(ino), digest: Digest([ino as u8; 32]), day }
    }

    #[test]
    fn a_file_changed_just_before_it_was_read_is_not_remembered() {
        let settled = |stat, began| StatRecord::settled(stat, Digest([0; 32]), began).is_some();
        assert!(settled(stat(1), 12 * SECOND + 1));
        assert!(!settled(stat(1), 12 * SECOND));
        assert!(!settled(Stat { ctime: 11 * SECOND, ..stat(1) }, 13 * SECOND));
        assert!(!settled(Stat { mtime: 99 * SECOND, ..stat(1) }, 20 * SECOND), "a date in the future");
    }

    #[test]
    fn any_difference_makes_an_entry_void() {
        let mut cache = StatCache::load("/nowhere/cache");
        cache.absorb(vec![record(1, today()), record(2, today())]);
        assert_eq!(cache.get(&stat(1)), Some(Digest([1; 32])));
        for other in [
            Stat { dev: 2, ..stat(1) },
            Stat { size: 4, ..stat(1) },
            Stat { mtime: 1, ..stat(1) },
            Stat { ctime: 1, ..stat(1) },
            Stat { mode: 0o100_755, ..stat(1) },
            stat(3),
        ] {
            assert_eq!(cache.get(&other), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_what_is_old_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stat-cache");
        let mut cache = StatCache::load(&path);
        cache.absorb(vec![record(7, today()), record(3, today()), record(5, today() - KEPT_DAYS - 1)]);
        cache.save().unwrap();
        let mut loaded = StatCache::load(&path);
        assert_eq!(loaded.records, [record(3, today()), record(7, today())]);
        // Newer knowledge of a file takes the place of older.
        let newer = StatRecord { digest: Digest([9; 32]), ..record(3, today()) };
        loaded.absorb(vec![newer]);
        assert!(loaded.changed);
        assert_eq!(loaded.get(&stat(3)), Some(Digest([9; 32])));
        assert_eq!(loaded.len(), 2);
    }

    #[test]
    fn nothing_new_is_not_written() {
        let mut cache = StatCache::load("/nowhere/cache");
        cache.save().unwrap();
        cache.absorb(vec![record(1, today())]);
        let error = cache.save().unwrap_err().to_string();
        assert!(error.starts_with("cannot write /nowhere/cache: "), "{error}");
    }
}
