//! What was put into a workspace, written down.
//!
//! ```text
//! boot id: length u16, text | directory ...
//! directory: path length u16, path | files u32 | file ...
//! file:      name length u8, name | digest 32 | executable u8 | inode u64 | size u64 | mtime i64 | ctime i64
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use flotilla_messages::inputs::Digest;

use crate::content::sealed::{self, Magic, array, take};

const MAGIC: Magic = *b"FLWORK\0\x01";

/// All by which a change of a file is noticed. Times are in nanoseconds since the epoch; nobody can set ctime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub ino: u64,
    pub size: u64,
    pub mtime: i64,
    pub ctime: i64,
}

/// A file as it was put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptFile {
    pub digest: Digest,
    pub executable: bool,
    pub stamp: Stamp,
}

/// The files of one directory, by name.
pub(super) type Files = BTreeMap<Vec<u8>, KeptFile>;

/// The files of all directories, by path from the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileTable(pub BTreeMap<Vec<u8>, Files>);

impl FileTable {
    /// What is written there; nothing when that is damaged or of another boot.
    pub fn load(path: &Path, boot: &str) -> Self {
        let Some(body) = sealed::read(path, &MAGIC) else { return Self::default() };
        let mut body = &body[..];
        match Self::read(&mut body, boot) {
            Some(state) if body.is_empty() => state,
            _ => Self::default(),
        }
    }

    pub fn save(&self, path: &Path, boot: &str) -> io::Result<()> {
        sealed::write(path, &MAGIC, &self.write(boot)).map(drop)
    }

    fn read(body: &mut &[u8], boot: &str) -> Option<Self> {
        let length = u16::from_be_bytes(array(body)?);
        // Without a boot id nobody knows whether it is the same boot.
        if boot.is_empty() || take(body, length.into())? != boot.as_bytes() {
            return None;
        }
        let mut state = Self::default();
        while !body.is_empty() {
            let length = u16::from_be_bytes(array(body)?);
            let path = take(body, length.into())?.to_vec();
            let count = u32::from_be_bytes(array(body)?);
            let mut files = Files::new();
            for _ in 0..count {
                let [length] = array(body)?;
                let name = take(body, length.into())?.to_vec();
                let digest = Digest(array(body)?);
                let [executable] = array(body)?;
                let mut number = || array(body).map(u64::from_be_bytes);
                let [ino, size] = [number()?, number()?];
                let [mtime, ctime] = [number()?.cast_signed(), number()?.cast_signed()];
                let stamp = Stamp { ino, size, mtime, ctime };
                files.insert(name, KeptFile { digest, executable: executable != 0, stamp });
            }
            state.0.insert(path, files);
        }
        Some(state)
    }

    fn write(&self, boot: &str) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend_from_slice(&(boot.len() as u16).to_be_bytes());
        body.extend_from_slice(boot.as_bytes());
        for (path, files) in &self.0 {
            // A survey bounds paths and names far below what these lengths can say.
            body.extend_from_slice(&(path.len() as u16).to_be_bytes());
            body.extend_from_slice(path);
            body.extend_from_slice(&(files.len() as u32).to_be_bytes());
            for (name, KeptFile { digest, executable, stamp }) in files {
                body.push(name.len() as u8);
                body.extend_from_slice(name);
                body.extend_from_slice(&digest.0);
                body.push(u8::from(*executable));
                let Stamp { ino, size, mtime, ctime } = stamp;
                for number in [*ino, *size, mtime.cast_unsigned(), ctime.cast_unsigned()] {
                    body.extend_from_slice(&number.to_be_bytes());
                }
            }
        }
        body
    }
}

/// What tells this boot of the system from all others; empty where there is none.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_counts_in_its_own_boot_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let kept = |byte: u8| KeptFile {
            digest: Digest([byte; 32]),
            executable: byte == 1,
            stamp: Stamp { ino: 5, size: 6, mtime: -7, ctime: 8 },
        };
        let files = Files::from([(b"a".to_vec(), kept(1)), (b"b\xff".to_vec(), kept(2))]);
        let state = FileTable(BTreeMap::from([(b"".to_vec(), Files::new()), (b"x/y".to_vec(), files)]));
        state.save(&path, "this boot").unwrap();
        assert_eq!(FileTable::load(&path, "this boot"), state);
        assert_eq!(FileTable::load(&path, "next boot"), FileTable::default());
        state.save(&path, "").unwrap();
        assert_eq!(FileTable::load(&path, ""), FileTable::default());
        assert!(!boot_id().is_empty());
    }
}
