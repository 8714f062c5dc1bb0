//! Files that are whole or not there, whenever the machine stops.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::error::HomeError;

/// What ends the names of files that are not whole yet; they begin with a dot.
const TEMPORARY: &str = ".tmp";

/// Makes the directory, and those above it, unless it is there; readable by `mode`, whatever the umask adds.
pub fn directory(path: &Path, mode: u32) -> Result<(), HomeError> {
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(HomeError::io("make the directory", path))
}

/// Whether nobody but the owner can put files there.
pub fn check_directory(path: &Path) -> Result<(), HomeError> {
    let meta = fs::metadata(path).map_err(HomeError::io("read", path))?;
    if !belongs_to_us(&meta) && meta.uid() != 0 {
        return Err(HomeError::OtherOwner(path.to_owned()));
    }
    let mode = meta.mode() & 0o7777;
    if mode & 0o022 != 0 { Err(HomeError::Writable { path: path.to_owned(), mode }) } else { Ok(()) }
}

/// Whether a file is this user's; root works for whom it belongs to.
pub fn belongs_to_us(meta: &fs::Metadata) -> bool {
    let user = rustix::process::geteuid();
    user.is_root() || meta.uid() == user.as_raw()
}

/// Puts a file there, in place of the one that may be there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), HomeError> {
    let temporary = Temporary::write(path, bytes, mode)?;
    fs::rename(&temporary.0, path).map_err(HomeError::io("write", path))?;
    sync_parent(path)
}

/// Puts a file there, unless there is one. `false` if there was.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, HomeError> {
    let temporary = Temporary::write(path, bytes, mode)?;
    // A link, as a rename would take the place of a file that came in between.
    match fs::hard_link(&temporary.0, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(HomeError::io("write", path)(error)),
    }
    drop(temporary);
    sync_parent(path).map(|()| true)
}

/// Removes a file. A file that does not exist is not an error.
pub fn remove(path: &Path) -> Result<(), HomeError> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(HomeError::io("remove", path)(error)),
    }
}

/// Removes what was left of files that never became whole. Nobody else may be writing there.
pub fn remove_temporary(directory: &Path) -> Result<(), HomeError> {
    for name in names(directory)? {
        if name.starts_with('.') && name.ends_with(TEMPORARY) {
            remove(&directory.join(name))?;
        }
    }
    Ok(())
}

/// The names in a directory, sorted; names that are no text are left out, as nothing of ours has one.
pub fn names(directory: &Path) -> Result<Vec<String>, HomeError> {
    let entries = fs::read_dir(directory).map_err(HomeError::io("read", directory))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(HomeError::io("read", directory))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens a regular file; never waits for a pipe's writer, and follows a link only if `follow`.
pub fn open(path: &Path, follow: bool) -> Result<File, HomeError> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(HomeError::NotAFile(path.to_owned()));
        }
        opened => opened.map_err(HomeError::io("read", path))?,
    };
    let meta = file.metadata().map_err(HomeError::io("read", path))?;
    if meta.is_file() { Ok(file) } else { Err(HomeError::NotAFile(path.to_owned())) }
}

/// All of an open file, if that is at most `limit` bytes. Wiped when dropped, as it may be a private key.
pub fn read(file: &File, path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, HomeError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    let read = file.take(limit as u64 + 1).read_to_end(&mut bytes);
    read.map_err(HomeError::io("read", path))?;
    if bytes.len() > limit { Err(HomeError::TooLarge { path: path.to_owned(), limit }) } else { Ok(bytes) }
}

/// A file under a name of its own, gone when dropped unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<Self, HomeError> {
        let number = getrandom::u64().map_err(HomeError::Random)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.{number:016x}{TEMPORARY}"));
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary);
        let mut file = opened.map_err(HomeError::io("write", &temporary))?;
        let guard = Self(temporary);
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(HomeError::io("write", &guard.0))?;
        Ok(guard)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; a file that stays is removed by the next setup.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes a new or removed name last.
fn sync_parent(path: &Path) -> Result<(), HomeError> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(HomeError::io("write", parent))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn create_never_overwrites_and_replace_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert!(create(&path, b"first", 0o600).unwrap());
        assert!(!create(&path, b"second", 0o600).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, b"third", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(names(dir.path()).unwrap(), ["file"], "nothing else is left");
    }

    #[test]
    fn a_file_that_cannot_be_put_there_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("directory");
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(matches!(replace(&path, b"x", 0o644), Err(HomeError::Io { doing: "write", .. })));
        assert_eq!(names(dir.path()).unwrap(), ["directory"]);
    }

    #[test]
    fn a_secret_is_never_open_to_others_not_even_for_a_moment() {
        let dir = tempfile::tempdir().unwrap();
        let temporary = Temporary::write(&dir.path().join("key"), b"secret", 0o600).unwrap();
        assert_eq!(fs::metadata(&temporary.0).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .unwrap();
        assert!(matches!(open(&path, true), Err(HomeError::NotAFile(_))));
    }
}
