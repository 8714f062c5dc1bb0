//! The Merkle tree of a selection.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use flotilla_messages::inputs::{Digest, Directory, DirectoryEntry, EntryKind, Name};

use super::error::ScanError;

/// Everything a run needs of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The digest of the root directory, which names the whole tree.
    pub root: Digest,
    /// The blobs of all directories.
    pub directories: BTreeMap<Digest, Vec<u8>>,
    /// Where the blobs of files can be read from; of equal files, one.
    pub files: BTreeMap<Digest, Source>,
    /// What it took.
    pub counts: Counts,
}

impl Tree {
    /// The bytes of a blob; none of one that is not in it.
    pub fn size(&self, digest: &Digest) -> u64 {
        let directory = || self.directories.get(digest).map(|blob| blob.len() as u64);
        self.files.get(digest).map(|source| source.size).or_else(directory).unwrap_or(0)
    }
}

/// Where a blob can be read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// How large it was.
    pub size: u64,
    /// Its place among all files, in the order of their paths.
    pub order: u32,
    /// What was in it, if it is small and had to be read: it need not be read again to be sent.
    pub content: Option<Arc<[u8]>>,
}

/// What a scan found, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files, equal ones included.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files that were read, as the cache did not know them.
    pub read: u64,
}

/// A tree that is being put together.
#[derive(Default)]
pub(super) struct Builder(BTreeMap<Name, Growing>);

enum Growing {
    Directory(Builder),
    Leaf(EntryKind),
}

impl Builder {
    /// Puts something at a place: a file or a link, or nothing for a directory. The same thing may come twice.
    pub(super) fn insert(&mut self, place: &Path, leaf: Option<EntryKind>) -> Result<(), ScanError> {
        let conflict = || ScanError::Conflict(place.to_owned());
        let mut names = names(place)?;
        let last = if leaf.is_some() { names.pop() } else { None };
        let mut at = self;
        for name in names {
            match at.0.entry(name).or_insert_with(|| Growing::Directory(Self::default())) {
                Growing::Directory(inner) => at = inner,
                Growing::Leaf(_) => return Err(conflict()),
            }
        }
        let Some(leaf) = leaf else { return Ok(()) };
        let Some(last) = last else { return Err(ScanError::Outside(place.to_owned())) };
        match at.0.entry(last).or_insert_with(|| Growing::Leaf(leaf.clone())) {
            Growing::Leaf(there) if *there == leaf => Ok(()),
            _ => Err(conflict()),
        }
    }

    /// The digest of the root, and all directories' blobs.
    pub(super) fn finish(self) -> Result<(Digest, BTreeMap<Digest, Vec<u8>>), ScanError> {
        let mut blobs = BTreeMap::new();
        let root = self.fold(Path::new(""), &mut blobs)?;
        Ok((root, blobs))
    }

    fn fold(self, place: &Path, blobs: &mut BTreeMap<Digest, Vec<u8>>) -> Result<Digest, ScanError> {
        let mut entries = Vec::with_capacity(self.0.len());
        for (name, growing) in self.0 {
            let node = match growing {
                Growing::Leaf(node) => node,
                Growing::Directory(inner) => {
                    let place = place.join(OsStr::from_bytes(name.as_bytes()));
                    EntryKind::Directory { digest: inner.fold(&place, blobs)? }
                }
            };
            entries.push(DirectoryEntry { name, node });
        }
        let directory = Directory::new(entries)
            .map_err(|source| ScanError::Directory { path: place.to_owned(), source })?;
        let blob = directory.encode();
        let digest = Digest::of(&blob);
        blobs.insert(digest, blob);
        Ok(digest)
    }
}

/// The names on the way from the root to a place.
fn names(place: &Path) -> Result<Vec<Name>, ScanError> {
    let name = |component| match component {
        Component::Normal(name) => Some(
            Name::new(name.as_bytes()).map_err(|source| ScanError::Name { path: place.to_owned(), source }),
        ),
        Component::CurDir => None,
        _ => Some(Err(ScanError::Outside(place.to_owned()))),
    };
    place.components().filter_map(name).collect()
}
