//! One file: what the system says of it, and the digest of its content.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use flotilla_messages::inputs::{Digest, Hasher};
use rustix::fs::OFlags;

use super::error::ScanError;

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 3;
/// How much is read at a time.
const BUFFER: usize = 128 << 10;
/// The content of a file of up to this many bytes is kept.
const SMALL: u64 = 64 << 10;

/// All by which a change of a file is noticed without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub size: u64,
    /// Last change of the content, in nanoseconds since the epoch. Anybody may set it.
    pub mtime: i64,
    /// Last change of anything, in nanoseconds since the epoch. Nobody can set it.
    pub ctime: i64,
    pub mode: u32,
}

impl Stat {
    pub(super) fn of(meta: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            dev: meta.dev(),
            ino: meta.ino(),
            size: meta.size(),
            mtime: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            ctime: nanoseconds(meta.ctime(), meta.ctime_nsec()),
            mode: meta.mode(),
        }
    }

    /// Whether its owner may run it.
    pub(super) fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// Opens a file without following a link and without waiting for a pipe's writer.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// A file that was read.
pub(super) struct Content {
    /// The digest of its content.
    pub(super) digest: Digest,
    /// What the system said of the file all the time it was read.
    pub(super) stat: Stat,
    /// The content, if it is small.
    pub(super) content: Option<Vec<u8>>,
}

/// Reads a file.
pub(super) fn digest(path: &Path) -> Result<Content, ScanError> {
    digest_watched(path, || {})
}

/// The same; `watch` is called after every read.
fn digest_watched(path: &Path, mut watch: impl FnMut()) -> Result<Content, ScanError> {
    let mut buffer = Vec::new();
    let mut attempt = || -> io::Result<Option<Content>> {
        let mut file = open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Ok(None);
        }
        let before = Stat::of(&meta);
        // One byte more than it has, so that a file of up to that size takes two calls.
        buffer.resize(BUFFER.min(usize::try_from(before.size).unwrap_or(BUFFER).saturating_add(1)), 0);
        let mut hasher = Hasher::new();
        let mut size = 0;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&buffer[..count]);
                    size += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            watch();
            // Somebody appends to it faster than it is read.
            if size > before.size {
                return Ok(None);
            }
        }
        let after = Stat::of(&file.metadata()?);
        let small = before.size <= SMALL && before.size < buffer.len() as u64;
        Ok((size == before.size && before == after).then(|| Content {
            digest: hasher.digest(),
            stat: before,
            // It came with one call: the second found the end.
            content: small.then(|| buffer[..size as usize].to_vec()),
        }))
    };
    for _ in 0..ATTEMPTS {
        if let Some(read) = attempt().map_err(ScanError::io(path))? {
            return Ok(read);
        }
    }
    Err(ScanError::Changes(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again_and_given_up_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let append = || File::options().append(true).open(&path).unwrap().write_all(b"x").unwrap();
        for changes in 0..5 {
            fs::write(&path, vec![b'x'; 3 * BUFFER]).unwrap();
            let mut left = changes;
            let mut reads = 0;
            let result = digest_watched(&path, || {
                reads += 1;
                // Once an attempt: the fourth read of each finds more than there was.
                if left > 0 && reads % 4 == 1 {
                    left -= 1;
                    append();
                }
            });
            match result {
                Ok(Content { digest, stat, .. }) => {
                    assert!(changes < 3);
                    assert_eq!(digest, Digest::of(&fs::read(&path).unwrap()));
                    assert_eq!(stat.size, (3 * BUFFER + changes) as u64);
                }
                Err(error) => {
                    assert!(matches!(error, ScanError::Changes(_)), "{error}");
                    assert!(changes >= 3);
                }
            }
        }
    }

    #[test]
    fn a_file_that_shrinks_or_is_written_over_while_it_is_read_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let change = |shrink: bool| {
            let file = File::options().write(true).open(&path).unwrap();
            if shrink { file.set_len(1).unwrap() } else { (&file).write_all(b"y").unwrap() }
        };
        for shrink in [true, false] {
            fs::write(&path, vec![b'x'; 2 * BUFFER]).unwrap();
            let mut changed = false;
            let Content { digest, .. } = digest_watched(&path, || {
                if !changed {
                    changed = true;
                    // Later than the clock of files at the first look, whose steps are milliseconds long.
                    let before = fs::metadata(&path).map(|meta| Stat::of(&meta)).unwrap();
                    while fs::metadata(&path).map(|meta| Stat::of(&meta)).unwrap() == before {
                        change(shrink);
                    }
                }
            })
            .unwrap();
            assert_eq!(digest, Digest::of(&fs::read(&path).unwrap()), "as it was at last");
        }
    }
}
