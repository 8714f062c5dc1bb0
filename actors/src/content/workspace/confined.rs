//! Directories and files by descriptors: each opened from the directory above it, never through a link.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use flotilla_messages::inputs::Target;
use rustix::fs::{self, AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use super::state::Stamp;

/// The modes that everything in a workspace has.
pub(super) const DIRECTORY_MODE: RawMode = 0o755;
const FILE_MODE: RawMode = 0o644;
const EXECUTABLE_MODE: RawMode = 0o755;

const OPEN_DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The permission bits of a file.
pub(super) fn file_mode(executable: bool) -> RawMode {
    if executable { EXECUTABLE_MODE } else { FILE_MODE }
}

/// Opens the directory by its path; that is ours, and no test writes to it.
pub(super) fn open_top(path: &Path) -> Result<OwnedFd, Errno> {
    fs::openat(CWD, path, OPEN_DIRECTORY, Mode::empty())
}

/// Opens a directory in a directory, even one that its owner may not read.
pub(super) fn open_directory(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    match fs::openat(&parent, name, OPEN_DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let unopened = fs::openat(&parent, name, flags, Mode::empty())?;
            // The kernel has no fchmod for such a descriptor but this.
            let itself = format!("/proc/self/fd/{}", unopened.as_raw_fd());
            fs::chmod(itself, Mode::from_raw_mode(DIRECTORY_MODE))?;
            fs::openat(&unopened, c".", OPEN_DIRECTORY, Mode::empty())
        }
        opened => opened,
    }
}

/// Opens the directory at a path from `root`, name by name.
pub(super) fn open_path(root: impl AsFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut at = root.as_fd().try_clone_to_owned().map_err(|error| from_io(&error))?;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        at = open_directory(&at, name)?;
    }
    Ok(at)
}

/// Gives a directory its mode, if it has another.
pub(super) fn set_directory_mode(directory: impl AsFd) -> Result<(), Errno> {
    if fs::fstat(&directory)?.st_mode & 0o7777 == DIRECTORY_MODE {
        return Ok(());
    }
    fs::fchmod(directory, Mode::from_raw_mode(DIRECTORY_MODE))
}

/// What is in a directory, sorted.
pub(super) fn names(directory: impl AsFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// What the system says of something in a directory; nothing when it is not there.
pub(super) fn stat(directory: impl AsFd, name: &[u8]) -> Result<Option<Stat>, Errno> {
    match fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(None),
        stat => stat.map(Some),
    }
}

/// Whether it is a regular file with these permission bits.
pub(super) fn is_file(stat: &Stat, mode: RawMode) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_mode & 0o7777 == mode
}

/// By what a change of it is noticed.
pub(super) fn stamp(stat: &Stat) -> Stamp {
    // The types differ between architectures.
    let time = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Stamp {
        ino: stat.st_ino,
        size: stat.st_size.cast_unsigned(),
        mtime: time(stat.st_mtime, stat.st_mtime_nsec as i64),
        ctime: time(stat.st_ctime, stat.st_ctime_nsec as i64),
    }
}

/// What a link says; nothing when it is no link, or not there.
pub(super) fn link_target(directory: impl AsFd, name: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    match fs::readlinkat(directory, name, Vec::new()) {
        Err(Errno::NOENT | Errno::INVAL) => Ok(None),
        target => target.map(|target| Some(target.into_bytes())),
    }
}

/// Makes a file that was not there.
pub(super) fn create(directory: impl AsFd, name: &[u8], executable: bool) -> Result<File, Errno> {
    let mode = Mode::from_raw_mode(file_mode(executable));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(directory, name, flags, mode).map(File::from)
}

/// The stamp of a file that was made and written. It gets back what the umask took away.
pub(super) fn finish(file: &File, executable: bool) -> Result<Stamp, Errno> {
    let mut stat = fs::fstat(file)?;
    if stat.st_mode & 0o7777 != file_mode(executable) {
        fs::fchmod(file, Mode::from_raw_mode(file_mode(executable)))?;
        stat = fs::fstat(file)?;
    }
    Ok(stamp(&stat))
}

/// Opens a directory, and makes it if there is none, in place of anything else.
pub(super) fn enter(parent: &OwnedFd, name: &[u8], trash: &mut Trash) -> Result<OwnedFd, Errno> {
    match open_directory(parent, name) {
        Err(Errno::NOENT) => {}
        Err(Errno::NOTDIR | Errno::LOOP) => trash.take(parent.as_fd(), name)?,
        opened => return opened,
    }
    fs::mkdirat(parent, name, Mode::from_raw_mode(DIRECTORY_MODE))?;
    open_directory(parent, name)
}

/// Makes a link, unless it is there. Whether something else was there.
pub(super) fn put_link(
    directory: &OwnedFd,
    name: &[u8],
    target: &Target,
    trash: &mut Trash,
) -> Result<bool, Errno> {
    if link_target(directory, name)?.is_some_and(|there| there == target.as_bytes()) {
        return Ok(false);
    }
    let there = stat(directory, name)?.is_some();
    if there {
        trash.take(directory.as_fd(), name)?;
    }
    fs::symlinkat(target.as_bytes(), directory, name)?;
    Ok(there)
}

/// Where things go that are to be removed. Directories are emptied one level at a time and their directories moved here, so
/// that no depth of them takes more descriptors or stack than another.
#[derive(Debug)]
pub(super) struct Trash {
    directory: OwnedFd,
    next: u64,
}

impl Trash {
    pub fn new(directory: OwnedFd) -> Self {
        Self { directory, next: 0 }
    }

    /// Takes something out of a directory, whatever it is.
    pub fn take(&mut self, from: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        match fs::unlinkat(from, name, AtFlags::empty()) {
            // What Linux says of a directory, and what POSIX says.
            Err(Errno::ISDIR | Errno::PERM) => self.take_directory(from, name),
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    }

    /// Removes what is here, what an earlier process left included.
    pub fn empty(&mut self) -> Result<(), Errno> {
        loop {
            let names = names(&self.directory)?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                match fs::unlinkat(&self.directory, &name[..], AtFlags::empty()) {
                    Err(Errno::ISDIR | Errno::PERM) => {}
                    removed => {
                        removed?;
                        continue;
                    }
                }
                let inner = open_directory(&self.directory, &name)?;
                set_directory_mode(&inner)?;
                for name in self::names(&inner)? {
                    self.take(inner.as_fd(), &name)?;
                }
                fs::unlinkat(&self.directory, &name[..], AtFlags::REMOVEDIR)?;
            }
        }
    }

    fn take_directory(&mut self, from: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        // Renaming a directory needs write permission on it.
        set_directory_mode(open_directory(from, name)?)?;
        loop {
            let number = self.next.to_string();
            self.next += 1;
            match fs::renameat(from, name, &self.directory, number) {
                // An earlier process left something of that name.
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                moved => return moved,
            }
        }
    }
}

/// The error number of an error of the standard library.
fn from_io(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
