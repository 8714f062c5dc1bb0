//! A workspace's directory, and making it what a tree says.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flotilla_messages::inputs::{Digest, Survey, TreeLimits, survey};
use rustix::fs::{Mode, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use super::confined::{self, Trash};
use super::error::WorkspaceError;
use super::laying::{Laying, Updated};
use super::state::{FileTable, Files, boot_id};
use crate::content::blobs::BlobStore;

/// How often, a millisecond apart, the clock of files is looked at: its steps are 1 to 10 ms long.
const LOOKS: u32 = 50;

/// A directory for one client's tree.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    root_path: PathBuf,
    dir: OwnedFd,
    state: FileTable,
    boot: String,
    /// Held by an advisory lock.
    lock: File,
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
        // Nothing follows from a date that stays as it is, but that it is removed sooner.
        let _ = lock.set_modified(SystemTime::now());
        let opened = confined::open_top(&path).map_err(WorkspaceError::io("open", &path))?;
        let boot = boot_id();
        let state = FileTable::load(&path.join("state"), &boot);
        let workspace = Self { root_path: path.join("root"), path, dir: opened, state, boot, lock };
        workspace.trash()?.empty().map_err(WorkspaceError::io("empty", &workspace.path))?;
        Ok(workspace)
    }

    /// When the workspace in that directory was opened or changed last; nothing when there is none.
    pub fn last_used(dir: &Path) -> Option<SystemTime> {
        fs::symlink_metadata(dir.join("lock")).and_then(|meta| meta.modified()).ok()
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
        let laying = self.begin(tree)?;
        self.finish(laying, store)
    }

    /// Makes all directories and links of a tree, of which no directory is missing, and removes what it does not have.
    /// No test may run in it until [`finish`](Self::finish) has returned.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn begin(&mut self, tree: Survey) -> Result<Laying, WorkspaceError> {
        // Where nothing confines them, tests may have removed these as well.
        let mut trash = self.trash()?;
        let root = confined::enter(&self.dir, b"root", &mut trash)
            .map_err(WorkspaceError::io("open", &self.root_path))?;
        Laying::begin(tree, root, self.root_path.clone(), trash, &self.state)
    }

    /// Writes the files that were not [taken](Laying::take) from the store, and what is there now into the state.
    ///
    /// # Errors
    /// As [`update`](Self::update). What was in order is known to the next one in any case.
    pub fn finish(&mut self, mut laying: Laying, store: &mut BlobStore) -> Result<Updated, WorkspaceError> {
        let rest = laying.rest(store);
        let updated = self.leave(laying)?;
        let missing = rest?;
        if missing.is_empty() { Ok(updated) } else { Err(WorkspaceError::Missing(missing)) }
    }

    /// Writes what is there now into the state, whatever is still to be done.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn leave(&mut self, laying: Laying) -> Result<Updated, WorkspaceError> {
        let (mut trash, mut state, updated) = laying.into_parts();
        let removed = trash.empty().map_err(WorkspaceError::io("empty", &self.path.join("trash")));
        if state != self.state {
            self.settle(&mut state);
            self.state = state;
            let path = self.path.join("state");
            self.state.save(&path, &self.boot).map_err(WorkspaceError::io("write", &path))?;
        }
        removed.map(|()| updated)
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
    fn settle(&self, state: &mut FileTable) {
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
}
