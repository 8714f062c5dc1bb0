//! What differs between a workspace and a tree, and putting it right.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flotilla_messages::inputs::{
    Digest, Entry, Hasher, Node, Survey, SurveyedDirectory, Target, TreeLimits, survey,
};
use rayon::prelude::*;
use rustix::fs::{Mode, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use super::confined::{self, Trash};
use super::error::WorkspaceError;
use super::state::{Files, Kept, State, boot_id};
use crate::blobs::{BlobStore, Located};

const BUFFER: usize = 128 << 10;
/// Files of one directory that one thread writes at a time.
const AT_A_TIME: usize = 64;
/// How often, a millisecond apart, the clock of files is looked at: its steps are 1 to 10 ms long.
const LOOKS: u32 = 50;

/// A directory for one client's tree.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    root_path: PathBuf,
    dir: OwnedFd,
    state: State,
    boot: String,
    /// Held by an advisory lock.
    lock: File,
}

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

/// A file to be written.
#[derive(Debug)]
struct Job<'a> {
    directory: &'a SurveyedDirectory,
    entry: &'a Entry,
    blob: Located,
    digest: Digest,
    executable: bool,
}

/// What came of it.
enum Written {
    Done(Kept),
    /// The blob was something else.
    Damaged,
}

impl Workspace {
    /// The workspace in that directory, which is made unless it is there.
    ///
    /// # Errors
    /// [`WorkspaceError::Locked`] when another has it open, and what the system refuses.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, WorkspaceError> {
        let path = dir.into();
        // Nobody else sees what a client ships.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(WorkspaceError::io("make the directory", &path))?;
        let lock_path = path.join("lock");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = opened.map_err(WorkspaceError::io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(WorkspaceError::Locked(path)),
            Err(TryLockError::Error(error)) => return Err(WorkspaceError::io("lock", &lock_path)(error)),
        }
        let opened = confined::open_top(&path).map_err(WorkspaceError::io("open", &path))?;
        let boot = boot_id();
        let state = State::load(&path.join("state"), &boot);
        let workspace = Self { root_path: path.join("root"), path, dir: opened, state, boot, lock };
        workspace.trash()?.empty().map_err(WorkspaceError::io("empty", &workspace.path))?;
        Ok(workspace)
    }

    /// Where the tests run.
    pub fn root(&self) -> &Path {
        &self.root_path
    }

    /// Makes the workspace what the tree says, whatever was there before. No test may run in it meanwhile.
    ///
    /// Blocks on the disk, and copies on all cores.
    ///
    /// # Errors
    /// [`WorkspaceError::Missing`] names all blobs that the store lacks, as far as its directories are there to tell;
    /// nothing that was in order is undone then. [`WorkspaceError::fault`] tells whose fault the others are.
    pub fn update(
        &mut self,
        root: Digest,
        limits: &TreeLimits,
        store: &mut BlobStore,
    ) -> Result<Updated, WorkspaceError> {
        let tree = survey(root, limits, |digest| store.read(digest).map_err(WorkspaceError::from))?;
        if !tree.missing.is_empty() {
            return Err(WorkspaceError::Missing(tree.missing));
        }
        // Where nothing confines them, tests may have removed these as well.
        let mut trash = self.trash()?;
        let root =
            enter(&self.dir, b"root", &mut trash).map_err(WorkspaceError::io("open", &self.root_path))?;
        let mut updated = Updated::default();
        let mut state = State::default();
        let wanted = self.compare(&tree, &root, &mut trash, &mut state, &mut updated)?;
        let mut missing = Vec::new();
        let mut jobs = Vec::with_capacity(wanted.len());
        let mut result = Ok(());
        for (directory, entry) in wanted {
            let Node::File { digest, size: claimed, executable } = entry.node else { continue };
            match store.locate(&digest) {
                None => missing.push(digest),
                Some(Located { size: actual, .. }) if actual != claimed => {
                    result = result.and(Err(WorkspaceError::Size { digest, claimed, actual }));
                }
                Some(blob) => jobs.push(Job { directory, entry, blob, digest, executable }),
            }
        }
        if missing.is_empty() && result.is_ok() {
            for (Job { directory, entry, blob, digest, .. }, written) in self.write(&root, &jobs) {
                match written {
                    Ok(Written::Done(kept)) => {
                        store.verified(digest);
                        updated.written += 1;
                        updated.bytes += blob.size;
                        let files = state.0.entry(directory.path.clone()).or_default();
                        files.insert(entry.name.as_bytes().to_vec(), kept);
                    }
                    Ok(Written::Damaged) => {
                        store.damaged(digest);
                        missing.push(*digest);
                    }
                    Err(error) => result = result.and(Err(error)),
                }
            }
        }
        let removed = trash.empty().map_err(WorkspaceError::io("empty", &self.path.join("trash")));
        if state != self.state {
            self.settle(&mut state);
            self.state = state;
            let path = self.path.join("state");
            self.state.save(&path, &self.boot).map_err(WorkspaceError::io("write", &path))?;
        }
        result?;
        removed?;
        if missing.is_empty() {
            return Ok(updated);
        }
        missing.sort_unstable();
        missing.dedup();
        Err(WorkspaceError::Missing(missing))
    }

    /// Makes directories and links, removes what the tree does not have, and says which files are to be written.
    fn compare<'a>(
        &self,
        tree: &'a Survey,
        root: &OwnedFd,
        trash: &mut Trash,
        state: &mut State,
        updated: &mut Updated,
    ) -> Result<Vec<(&'a SurveyedDirectory, &'a Entry)>, WorkspaceError> {
        let mut wanted = Vec::new();
        // The directories on the way to the one at hand: each comes after the one it is in.
        let mut way: Vec<OwnedFd> = Vec::new();
        for place in &tree.directories {
            way.truncate(place.depth);
            let path = self.shown(place, b"");
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
            let before = self.state.0.get(&place.path);
            let mut files = Files::new();
            for entry in place.directory.entries() {
                let name = entry.name.as_bytes();
                match &entry.node {
                    // Comes later in the survey.
                    Node::Directory { .. } => {}
                    Node::Symlink { target } => {
                        updated.removed += u64::from(put_link(&opened, name, target, trash).map_err(failed)?);
                    }
                    Node::File { digest, executable, .. } => {
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
                        wanted.push((place, entry));
                    }
                }
            }
            if !files.is_empty() {
                state.0.insert(place.path.clone(), files);
            }
            way.push(opened);
        }
        Ok(wanted)
    }

    /// Writes files, on all cores.
    fn write<'j, 'a>(
        &self,
        root: &OwnedFd,
        jobs: &'j [Job<'a>],
    ) -> Vec<(&'j Job<'a>, Result<Written, WorkspaceError>)> {
        // Not through the directories' own descriptors: a large tree has more directories than a process descriptors.
        let chunks: Vec<_> = jobs
            .chunk_by(|a, b| std::ptr::eq(a.directory, b.directory))
            .flat_map(|jobs| jobs.chunks(AT_A_TIME))
            .collect();
        let share_blocks = AtomicBool::new(true);
        let write = |jobs: &'j [Job<'a>]| {
            let mut buffer = vec![0; BUFFER];
            let directory = jobs.first().map(|job| confined::open_path(root, &job.directory.path));
            let write = |job: &'j Job<'a>| {
                let path = self.shown(job.directory, job.entry.name.as_bytes());
                let written = match &directory {
                    Some(Ok(directory)) => write_file(directory, job, &mut buffer, &share_blocks),
                    Some(Err(error)) => Err((*error).into()),
                    None => Err(Errno::NOENT.into()),
                };
                (job, written.map_err(WorkspaceError::io("write", &path)))
            };
            jobs.iter().map(write).collect::<Vec<_>>()
        };
        chunks.into_par_iter().flat_map_iter(write).collect()
    }

    fn trash(&self) -> Result<Trash, WorkspaceError> {
        let name = b"trash";
        let opened = match confined::open_directory(&self.dir, name) {
            Err(Errno::NOENT) => rustix::fs::mkdirat(&self.dir, &name[..], Mode::RWXU)
                .and_then(|()| confined::open_directory(&self.dir, name)),
            opened => opened,
        };
        opened.map(Trash::new).map_err(WorkspaceError::io("open", &self.path.join("trash")))
    }

    /// Waits until the clock of files has gone on since the last file was written: a test that changes it within the
    /// same step of that clock would leave its stamp as it is. If the clock stands, what cannot be told is written
    /// anew the next time.
    fn settle(&self, state: &mut State) {
        let kept = || state.0.values().flat_map(Files::values);
        let last = kept().map(|kept| kept.stamp.ctime).max().unwrap_or(i64::MIN);
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW as _ };
        let times = Timestamps { last_access: now, last_modification: now };
        for _ in 0..LOOKS {
            let looked =
                rustix::fs::futimens(&self.lock, &times).and_then(|()| rustix::fs::fstat(&self.lock));
            if looked.is_ok_and(|stat| confined::stamp(&stat).ctime > last) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        for files in state.0.values_mut() {
            files.retain(|_, kept| kept.stamp.ctime < last);
        }
    }

    /// Where something is, for people.
    fn shown(&self, directory: &SurveyedDirectory, name: &[u8]) -> PathBuf {
        let part = |bytes| Path::new(std::ffi::OsStr::from_bytes(bytes));
        self.root_path.join(part(&directory.path)).join(part(name))
    }
}

/// Opens a directory, and makes it if there is none, in place of anything else.
fn enter(parent: &OwnedFd, name: &[u8], trash: &mut Trash) -> Result<OwnedFd, Errno> {
    match confined::open_directory(parent, name) {
        Err(Errno::NOENT) => {}
        Err(Errno::NOTDIR | Errno::LOOP) => trash.take(parent.as_fd(), name)?,
        opened => return opened,
    }
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(confined::DIRECTORY_MODE))?;
    confined::open_directory(parent, name)
}

/// Makes a link, unless it is there. Whether something else was there.
fn put_link(directory: &OwnedFd, name: &[u8], target: &Target, trash: &mut Trash) -> Result<bool, Errno> {
    if confined::link_target(directory, name)?.is_some_and(|there| there == target.as_bytes()) {
        return Ok(false);
    }
    let there = confined::stat(directory, name)?.is_some();
    if there {
        trash.take(directory.as_fd(), name)?;
    }
    rustix::fs::symlinkat(target.as_bytes(), directory, name)?;
    Ok(there)
}

/// Writes a file that is not there. What is left after an error is written anew by the next update, as no state tells
/// of it.
fn write_file(
    directory: &OwnedFd,
    job: &Job<'_>,
    buffer: &mut [u8],
    share_blocks: &AtomicBool,
) -> io::Result<Written> {
    let mut blob = match File::open(&job.blob.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::Damaged),
        blob => blob?,
    };
    let name = job.entry.name.as_bytes();
    let mut file = confined::create(directory, name, job.executable)?;
    // A blob that is still to be verified has to be read anyway, and once is enough.
    let shared = job.blob.verified && share_blocks.load(Ordering::Relaxed) && {
        let shared = rustix::fs::ioctl_ficlone(&file, &blob).is_ok();
        if !shared {
            share_blocks.store(false, Ordering::Relaxed);
        }
        shared
    };
    if !shared {
        let mut hasher = (!job.blob.verified).then(Hasher::new);
        let mut left = job.blob.size;
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
    let stamp = confined::finish(&file, job.executable)?;
    Ok(Written::Done(Kept { digest: job.digest, executable: job.executable, stamp }))
}
