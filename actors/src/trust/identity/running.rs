//! Which daemon runs on a home: `data/peerd.pid`, locked as long as it does, and where it listens: `data/peerd.ports`.
//!
//! A daemon takes `data/lock`, then the lock of its pid file, then releases `data/lock`; a command that changes the
//! directory itself takes `data/lock` and then looks whether a daemon runs. So neither misses the other: what a daemon
//! reads after [`Home::claim`] is changed by nobody else.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::error::HomeError;
use super::files;
use super::home::{Home, Lock};

/// What others may read.
const PUBLIC: u32 = 0o644;
/// More than four addresses take.
const MOST_BYTES: usize = 4096;

/// Where a daemon really listens, whatever its configuration says (port 0, no IPv6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The Local port.
    pub local: SocketAddr,
    /// The Work port.
    pub work: SocketAddr,
    /// The Status port.
    pub status: SocketAddr,
    /// Its own UDP port, unless discovery is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<u16>,
}

/// Why a daemon may not run on this home.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is one.
    #[error("a daemon runs already: pid {0}")]
    Running(u32),
}

/// Held by the daemon of a home as long as it runs. Dropped, it leaves neither file behind.
#[derive(Debug)]
pub struct Claim {
    /// The file that is locked as long as this lives.
    _file: File,
    pid_file: PathBuf,
    ports_file: PathBuf,
    stale: Option<u32>,
}

impl Home {
    fn pid_file(&self) -> PathBuf {
        self.path().join("data/peerd.pid")
    }

    fn ports_file(&self) -> PathBuf {
        self.path().join("data/peerd.ports")
    }

    /// Makes this process the home's daemon.
    ///
    /// # Errors
    /// [`ClaimError`] when there is one, or the directory cannot be used.
    pub fn claim(&self) -> Result<Claim, ClaimError> {
        let _lock = self.lock()?;
        let pid_file = self.pid_file();
        let mut file = loop {
            let flags = OFlags::NOFOLLOW.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(PUBLIC).custom_flags(flags);
            let file = options.open(&pid_file).map_err(HomeError::io("write", &pid_file))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(ClaimError::Running(read_pid(&file).unwrap_or(0)));
                }
                Err(TryLockError::Error(error)) => return Err(HomeError::io("lock", &pid_file)(error).into()),
            }
            // A daemon that ended meanwhile has removed what was opened: a lock on that keeps nobody out.
            if same_file(&file, &pid_file) {
                break file;
            }
        };
        let stale = read_pid(&file);
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        written.map_err(HomeError::io("write", &pid_file))?;
        let claim = Claim { _file: file, pid_file, ports_file: self.ports_file(), stale };
        files::remove(&claim.ports_file)?;
        Ok(claim)
    }

    /// The pid of the daemon that runs on this home. To be asked under the [`lock`](Self::lock), which keeps another
    /// from starting.
    ///
    /// # Errors
    /// [`HomeError`] when that cannot be found out.
    pub fn running(&self, _lock: &Lock) -> Result<Option<u32>, HomeError> {
        let pid_file = self.pid_file();
        let file = match files::open(&pid_file, false) {
            Ok(file) => file,
            Err(HomeError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(read_pid(&file).unwrap_or(0))),
            Err(TryLockError::Error(error)) => Err(HomeError::io("lock", &pid_file)(error)),
        }
    }

    /// The pid of the daemon that runs on this home now.
    ///
    /// # Errors
    /// [`HomeError`] when the directory cannot be used.
    pub fn daemon(&self) -> Result<Option<u32>, HomeError> {
        self.running(&self.lock()?)
    }

    /// Whether this process has the home's pid file open. A home may lie on a disk that machines share: there a pid
    /// may be another machine's, and its holder here must be left in peace.
    pub fn held_by(&self, pid: u32) -> bool {
        let Ok(named) = fs::metadata(self.pid_file()) else { return false };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|entry| fs::metadata(entry.path()).ok())
            .any(|open| identity(&open) == identity(&named))
    }

    /// Where the home's daemon listens; `None` when none has said so. After a daemon was killed this is where it
    /// listened: a client must make sure whose key answers.
    ///
    /// # Errors
    /// [`HomeError`] when the file cannot be read or is not what a daemon writes.
    pub fn ports(&self) -> Result<Option<Ports>, HomeError> {
        let path = self.ports_file();
        let file = match files::open(&path, false) {
            Ok(file) => file,
            Err(HomeError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = files::read(&file, &path, MOST_BYTES)?;
        match toml::from_slice(&bytes) {
            Ok(ports) => Ok(Some(ports)),
            Err(error) => Err(HomeError::NoPorts { path, why: error.message().to_owned() }),
        }
    }
}

impl Claim {
    /// The pid of a daemon that did not end in order, if its file was still there.
    pub fn stale(&self) -> Option<u32> {
        self.stale
    }

    /// Writes where the daemon listens.
    ///
    /// # Errors
    /// [`HomeError`] when the disk does not take it.
    pub fn publish(&self, ports: &Ports) -> Result<(), HomeError> {
        let text = toml::to_string(ports).map_err(|error| {
            HomeError::io("write", &self.ports_file)(io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        files::replace(&self.ports_file, text.as_bytes(), PUBLIC)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // What cannot be removed is noticed as stale by the next daemon.
        let _ = fs::remove_file(&self.ports_file);
        let _ = fs::remove_file(&self.pid_file);
    }
}

/// The pid that the file holds.
fn read_pid(mut file: &File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether the path still leads to this file.
fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => identity(&open) == identity(&named),
        _ => false,
    }
}

/// What tells one file from another, whatever their names.
fn identity(meta: &fs::Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.setup().unwrap();
        (dir, home)
    }

    fn ports() -> Ports {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Ports { local: address(1), work: address(2), status: address(3), discovery: Some(4) }
    }

    #[test]
    fn one_daemon_claims_a_home_and_leaves_nothing_behind() {
        let (_dir, home) = home();
        assert_eq!(home.daemon().unwrap(), None);
        assert_eq!(home.ports().unwrap(), None);
        let claim = home.claim().unwrap();
        assert_eq!(claim.stale(), None);
        assert_eq!(home.daemon().unwrap(), Some(std::process::id()));
        assert!(matches!(home.claim(), Err(ClaimError::Running(pid)) if pid == std::process::id()));
        assert!(home.held_by(std::process::id()));
        assert!(!home.held_by(1) && !home.held_by(u32::MAX));
        claim.publish(&ports()).unwrap();
        assert_eq!(home.ports().unwrap(), Some(ports()));
        drop(claim);
        assert_eq!(home.daemon().unwrap(), None);
        assert_eq!(home.ports().unwrap(), None);
        assert!(!home.pid_file().exists());
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_not_taken_for_one_on_its_successor() {
        let (_dir, home) = home();
        let file = File::create(home.pid_file()).unwrap();
        assert!(same_file(&file, &home.pid_file()));
        fs::remove_file(home.pid_file()).unwrap();
        assert!(!same_file(&file, &home.pid_file()));
        fs::write(home.pid_file(), "").unwrap();
        assert!(!same_file(&file, &home.pid_file()));
    }

    #[test]
    fn a_stale_pid_file_is_noticed_and_its_ports_are_removed() {
        let (_dir, home) = home();
        fs::write(home.pid_file(), "4711\n").unwrap();
        fs::write(home.ports_file(), "local = \"127.0.0.1:9\"\n").unwrap();
        assert_eq!(home.daemon().unwrap(), None, "nobody has it locked");
        let claim = home.claim().unwrap();
        assert_eq!(claim.stale(), Some(4711));
        assert_eq!(home.ports().unwrap(), None);
        assert_eq!(fs::read_to_string(home.pid_file()).unwrap(), format!("{}\n", std::process::id()));
    }

    #[test]
    fn a_daemon_waits_for_the_command_that_changes_the_home() {
        let (_dir, home) = home();
        let lock = home.lock().unwrap();
        std::thread::scope(|scope| {
            let claimed = scope.spawn(|| home.claim().unwrap());
            assert_eq!(home.running(&lock).unwrap(), None, "it has no claim before the command is done");
            drop(lock);
            claimed.join().unwrap();
        });
    }

    #[test]
    fn a_ports_file_that_no_daemon_wrote_is_refused() {
        let (_dir, home) = home();
        fs::write(home.ports_file(), "local = 9991\n").unwrap();
        let error = home.ports().unwrap_err().to_string();
        assert!(error.contains("peerd.ports"), "{error}");
    }

    #[test]
    fn setup_leaves_a_running_daemons_temporary_files_alone() {
        let (_dir, home) = home();
        let temporary = home.path().join("trusted/.x.0000000000000000.tmp");
        fs::write(&temporary, "").unwrap();
        let claim = home.claim().unwrap();
        home.setup().unwrap();
        assert!(temporary.exists());
        drop(claim);
        home.setup().unwrap();
        assert!(!temporary.exists());
    }
}
