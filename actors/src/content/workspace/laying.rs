//! What differs between a workspace and a tree, and putting it right, as the blobs come.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use flotilla_messages::inputs::{
    Digest, DirectoryEntry, EntryKind, Hasher, Survey, SurveyedDirectory, Unpacked,
};
use rayon::prelude::*;
use rustix::io::Errno;

use super::confined::{self, Trash, enter, put_link};
use super::error::WorkspaceError;
use super::state::{FileTable, Files, KeptFile};
use crate::content::blobs::{BlobStore, Located, PackName};

const BUFFER: usize = 128 << 10;
/// Files of one directory that one thread writes at a time.
const AT_A_TIME: usize = 16;

/// What an update did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// Files that were as they should be.
    pub kept: u64,
    /// Files that were written.
    pub written: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries of directories that were removed, a directory with all in it counting as one.
    pub removed: u64,
}

/// A workspace on its way to being what a tree says.
#[derive(Debug)]
pub struct Laying {
    tree: Survey,
    root: OwnedFd,
    /// For people.
    root_path: PathBuf,
    trash: Trash,
    state: FileTable,
    updated: Updated,
    /// The files to be written, by their blobs.
    wanted: BTreeMap<Digest, Vec<Spot>>,
    share_blocks: AtomicBool,
}

/// A file's place: which directory of the tree, which entry of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    directory: usize,
    entry: usize,
}

/// A file to be written.
#[derive(Clone, Copy, Debug)]
struct FileToWrite<'a> {
    spot: Spot,
    digest: Digest,
    content: FileContent<'a>,
}

/// Where its bytes are.
#[derive(Clone, Copy, Debug)]
enum FileContent<'a> {
    /// The content, whose digest has been verified.
    Bytes(&'a [u8]),
    Blob {
        path: &'a Path,
        size: u64,
        verified: bool,
    },
}

/// What came of it.
enum Written {
    Done(KeptFile),
    /// The blob was something else.
    Damaged,
}

impl Laying {
    pub(super) fn begin(
        tree: Survey,
        root: OwnedFd,
        root_path: PathBuf,
        trash: Trash,
        before: &FileTable,
    ) -> Result<Self, WorkspaceError> {
        let mut laying = Self {
            tree: Survey::default(),
            root,
            root_path,
            trash,
            state: FileTable::default(),
            updated: Updated::default(),
            wanted: BTreeMap::new(),
            share_blocks: AtomicBool::new(true),
        };
        laying.compare(&tree, before)?;
        laying.tree = tree;
        Ok(laying)
    }

    /// The tree.
    pub fn tree(&self) -> &Survey {
        &self.tree
    }

    pub(super) fn into_parts(self) -> (Trash, FileTable, Updated) {
        (self.trash, self.state, self.updated)
    }

    /// Writes the files whose blobs are whole in a pack, which was verified.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn take(&mut self, unpacked: &Unpacked) -> Result<(), WorkspaceError> {
        let whole = unpacked.parts().filter(|part| part.offset == 0 && part.is_last());
        self.write_all(whole.map(|part| (part.digest, part.bytes)))
    }

    /// Writes the files of these blobs, which were verified.
    fn write_all<'b>(
        &mut self,
        blobs: impl Iterator<Item = (Digest, &'b [u8])>,
    ) -> Result<(), WorkspaceError> {
        let mut jobs = Vec::new();
        for (digest, bytes) in blobs {
            let spots = self.wanted.remove(&digest).unwrap_or_default();
            jobs.extend(spots.into_iter().map(|spot| FileToWrite {
                spot,
                digest,
                content: FileContent::Bytes(bytes),
            }));
        }
        self.write(jobs).map(drop)
    }

    /// Writes what is left, from the store. The blobs that it lacks, sorted.
    pub(super) fn rest(&mut self, store: &mut BlobStore) -> Result<Vec<Digest>, WorkspaceError> {
        let mut missing = Vec::new();
        let mut files = Vec::new();
        let mut packs: BTreeMap<PackName, Vec<Digest>> = BTreeMap::new();
        for (digest, spots) in &self.wanted {
            let Some(located) = store.locate(digest) else {
                missing.push(*digest);
                continue;
            };
            let actual = located.size();
            for claimed in spots.iter().filter_map(|spot| size(self.entry(*spot)?)) {
                if claimed != actual {
                    return Err(WorkspaceError::Size { digest: *digest, claimed, actual });
                }
            }
            match located {
                Located::Packed { pack, .. } => packs.entry(pack).or_default().push(*digest),
                Located::File { path, size, verified } => files.push((*digest, path, size, verified)),
            }
        }
        if !missing.is_empty() {
            return Ok(missing);
        }
        for (pack, digests) in packs {
            let body = store.body(pack)?;
            let blob = |digest: &Digest| body.as_ref().and_then(|body| body.get(digest));
            missing.extend(digests.iter().filter(|digest| blob(digest).is_none()));
            self.write_all(digests.iter().filter_map(|digest| Some((*digest, blob(digest)?))))?;
        }
        let mut jobs = Vec::new();
        for (digest, path, size, verified) in &files {
            let content = FileContent::Blob { path, size: *size, verified: *verified };
            let spots = self.wanted.remove(digest).unwrap_or_default();
            jobs.extend(spots.into_iter().map(|spot| FileToWrite { spot, digest: *digest, content }));
        }
        let damaged = self.write(jobs)?;
        for (digest, ..) in &files {
            if damaged.contains(digest) {
                store.damaged(digest);
                missing.push(*digest);
            } else {
                store.verified(digest);
            }
        }
        missing.sort_unstable();
        Ok(missing)
    }

    /// Makes directories and links, removes what the tree does not have, and says which files are to be written.
    fn compare(&mut self, tree: &Survey, before: &FileTable) -> Result<(), WorkspaceError> {
        let Self { root, root_path, trash, state, updated, wanted, .. } = self;
        // The directories on the way to the one at hand: each comes after the one it is in.
        let mut way: Vec<OwnedFd> = Vec::new();
        for (directory, place) in tree.directories.iter().enumerate() {
            way.truncate(place.depth);
            let path = shown(root_path, place, b"");
            let failed = |error: Errno| WorkspaceError::io("update", &path)(error);
            let opened = match way.last() {
                None => root.try_clone().map_err(WorkspaceError::io("open", &path))?,
                Some(parent) => {
                    let name = place.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                    enter(parent, name, trash).map_err(failed)?
                }
            };
            confined::set_directory_mode(&opened).map_err(failed)?;
            let names = confined::names(&opened).map_err(failed)?;
            for name in &names {
                if place.directory.get(name).is_none() {
                    trash.take(opened.as_fd(), name).map_err(failed)?;
                    updated.removed += 1;
                }
            }
            let before = before.0.get(&place.path);
            let mut files = Files::new();
            for (at, entry) in place.directory.entries().iter().enumerate() {
                let name = entry.name.as_bytes();
                match &entry.node {
                    // Comes later in the survey.
                    EntryKind::Directory { .. } => {}
                    EntryKind::Symlink { target } => {
                        updated.removed += u64::from(put_link(&opened, name, target, trash).map_err(failed)?);
                    }
                    EntryKind::File { digest, executable, .. } => {
                        let there = match names.binary_search_by(|other| other[..].cmp(name)) {
                            Ok(_) => confined::stat(&opened, name).map_err(failed)?,
                            Err(_) => None,
                        };
                        let kept = before.and_then(|before| before.get(name)).filter(|kept| {
                            kept.digest == *digest
                                && kept.executable == *executable
                                && there.is_some_and(|stat| {
                                    confined::is_file(&stat, confined::file_mode(*executable))
                                        && confined::stamp(&stat) == kept.stamp
                                })
                        });
                        if let Some(kept) = kept {
                            updated.kept += 1;
                            files.insert(name.to_vec(), *kept);
                            continue;
                        }
                        if there.is_some() {
                            trash.take(opened.as_fd(), name).map_err(failed)?;
                        }
                        wanted.entry(*digest).or_default().push(Spot { directory, entry: at });
                    }
                }
            }
            if !files.is_empty() {
                state.0.insert(place.path.clone(), files);
            }
            way.push(opened);
        }
        Ok(())
    }

    /// Writes files, on all cores. The digests of blobs that were found to be something else.
    fn write(&mut self, mut jobs: Vec<FileToWrite<'_>>) -> Result<Vec<Digest>, WorkspaceError> {
        // By directory, of which each thread opens one at a time: a large tree has more of them than a process has
        // descriptors.
        jobs.sort_unstable_by_key(|job| job.spot);
        let chunks: Vec<_> = jobs
            .chunk_by(|a, b| a.spot.directory == b.spot.directory)
            .flat_map(|jobs| jobs.chunks(AT_A_TIME))
            .collect();
        let written: Vec<_> = chunks.into_par_iter().flat_map_iter(|jobs| self.write_some(jobs)).collect();
        let mut damaged = Vec::new();
        let mut result = Ok(());
        for (FileToWrite { spot, digest, .. }, written) in written {
            match written {
                Ok(Written::Done(kept)) => {
                    self.updated.written += 1;
                    self.updated.bytes += kept.stamp.size;
                    let Some(place) = self.tree.directories.get(spot.directory) else { continue };
                    let Some(entry) = place.directory.entries().get(spot.entry) else { continue };
                    let name = entry.name.as_bytes().to_vec();
                    match self.state.0.get_mut(&place.path) {
                        Some(files) => files.insert(name, kept),
                        None => self.state.0.entry(place.path.clone()).or_default().insert(name, kept),
                    };
                }
                Ok(Written::Damaged) => damaged.push(digest),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result.map(|()| damaged)
    }

    /// Writes some files of one directory.
    fn write_some<'j>(
        &self,
        jobs: &[FileToWrite<'j>],
    ) -> Vec<(FileToWrite<'j>, Result<Written, WorkspaceError>)> {
        let place = jobs.first().and_then(|job| self.tree.directories.get(job.spot.directory));
        let directory =
            place.ok_or(Errno::NOENT).and_then(|place| confined::open_path(&self.root, &place.path));
        let mut buffer = Vec::new();
        let mut write = |job: &FileToWrite<'j>| -> io::Result<Written> {
            let directory = directory.as_ref().map_err(|error| *error)?;
            let entry = self.entry(job.spot).ok_or(Errno::NOENT)?;
            write_file(directory, entry, job, &mut buffer, &self.share_blocks)
        };
        let write = |job: &FileToWrite<'j>| {
            let written = write(job).map_err(|error| {
                let name = self.entry(job.spot).map_or(&b""[..], |entry| entry.name.as_bytes());
                let path = place.map_or_else(|| self.root_path.clone(), |p| shown(&self.root_path, p, name));
                WorkspaceError::io("write", &path)(error)
            });
            (*job, written)
        };
        jobs.iter().map(write).collect()
    }

    fn entry(&self, spot: Spot) -> Option<&DirectoryEntry> {
        self.tree.directories.get(spot.directory)?.directory.entries().get(spot.entry)
    }
}

/// The size that a tree gives for a file.
fn size(entry: &DirectoryEntry) -> Option<u64> {
    match entry.node {
        EntryKind::File { size, .. } => Some(size),
        _ => None,
    }
}

/// Where something is, for people.
fn shown(root: &Path, directory: &SurveyedDirectory, name: &[u8]) -> PathBuf {
    let part = |bytes| Path::new(OsStr::from_bytes(bytes));
    root.join(part(&directory.path)).join(part(name))
}

/// Writes a file that is not there. What is left after an error is written anew by the next update, as no state tells
/// of it.
fn write_file(
    directory: &OwnedFd,
    entry: &DirectoryEntry,
    job: &FileToWrite<'_>,
    buffer: &mut Vec<u8>,
    share_blocks: &AtomicBool,
) -> io::Result<Written> {
    let EntryKind::File { executable, .. } = entry.node else { return Err(Errno::INVAL.into()) };
    let name = entry.name.as_bytes();
    let done = |file: &File| -> io::Result<Written> {
        let stamp = confined::finish(file, executable)?;
        Ok(Written::Done(KeptFile { digest: job.digest, executable, stamp }))
    };
    let (path, size, verified) = match job.content {
        FileContent::Bytes(bytes) => {
            let mut file = confined::create(directory, name, executable)?;
            file.write_all(bytes)?;
            return done(&file);
        }
        FileContent::Blob { path, size, verified } => (path, size, verified),
    };
    let mut blob = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::Damaged),
        blob => blob?,
    };
    let mut file = confined::create(directory, name, executable)?;
    // A blob that is still to be verified has to be read anyway, and once is enough.
    let shared = verified && share_blocks.load(Ordering::Relaxed) && {
        let shared = rustix::fs::ioctl_ficlone(&file, &blob).is_ok();
        if !shared {
            share_blocks.store(false, Ordering::Relaxed);
        }
        shared
    };
    if !shared {
        buffer.resize(BUFFER, 0);
        let mut hasher = (!verified).then(Hasher::new);
        let mut left = size;
        while left > 0 {
            let count = match blob.read(buffer) {
                Ok(0) => return Ok(Written::Damaged),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = &buffer[..count];
            if let Some(hasher) = &mut hasher {
                hasher.update(bytes);
            }
            file.write_all(bytes)?;
            left = left.saturating_sub(count as u64);
        }
        if hasher.is_some_and(|hasher| hasher.digest() != job.digest) {
            return Ok(Written::Damaged);
        }
    }
    done(&file)
}
