//! The blob of one directory of a tree: equal directories have equal bytes.
//!
//! ```text
//! magic "FLD" | version 1 | entries u32 | entry ...
//! entry:  kind 1 | name length u8 | name | file:      size u64, digest 32      (kinds 0, and 1 for executable ones)
//!                                        | directory: digest 32                (kind 2)
//!                                        | symlink:   length u16, target       (kind 3)
//! ```
//!
//! Numbers are big-endian. Entries are sorted by the bytes of their names, without duplicates. Nothing follows the
//! last entry.

use super::digest::Digest;
use super::name::{Name, NameError, Target, TargetError};
use super::reader::{Ended, Reader};

/// The maximum number of entries in a directory.
pub const MOST_ENTRIES: usize = 65_536;
/// The maximum size of a directory's blob in bytes. With [`MOST_ENTRIES`] entries, names of 80 bytes still fit.
pub const LARGEST_DIRECTORY: usize = 8 << 20;

const MAGIC: [u8; 4] = *b"FLD\x01";
const FILE: u8 = 0;
const EXECUTABLE: u8 = 1;
const DIRECTORY: u8 = 2;
const SYMLINK: u8 = 3;
/// The size of the smallest entry in bytes: a kind, a name of one byte and a target of one byte, with their lengths.
const SMALLEST_ENTRY: usize = 1 + 2 + 3;

/// The entries of one directory, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    entries: Vec<DirectoryEntry>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The entry's name.
    pub name: Name,
    /// What the entry names.
    pub node: EntryKind,
}

/// What an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// The digest of its content.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Whether it is executable. Other permissions are not transferred.
        executable: bool,
    },
    /// A directory.
    Directory {
        /// The digest of its [`Directory`]'s bytes.
        digest: Digest,
    },
    /// A symbolic link; its target need not exist.
    Symlink {
        /// The path it points to.
        target: Target,
    },
}

/// Why a directory cannot be made, or why bytes are not a directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Larger than [`LARGEST_DIRECTORY`].
    #[error("a directory of {0} bytes is larger than {LARGEST_DIRECTORY}")]
    TooLarge(usize),
    /// More than [`MOST_ENTRIES`] entries.
    #[error("a directory has {0} entries, more than {MOST_ENTRIES}")]
    TooMany(usize),
    /// Not a directory, or one of another version.
    #[error("a directory does not begin as one")]
    Magic,
    /// Truncated.
    #[error("a directory is cut short")]
    Ended,
    /// Bytes follow the last entry.
    #[error("a directory has {0} bytes after its last entry")]
    Trailing(usize),
    /// An entry of an unknown kind.
    #[error("a directory has an entry of kind {0}")]
    Kind(u8),
    /// An entry with an invalid name.
    #[error("in a directory, {0}")]
    Name(#[from] NameError),
    /// A link with an invalid target.
    #[error("in a directory, {0}")]
    Target(#[from] TargetError),
    /// Unsorted entries, or two entries with the same name.
    #[error("the entries of a directory are not sorted, or '{0}' is there twice")]
    Order(String),
}

impl From<Ended> for DirectoryError {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

impl Directory {
    /// A directory with these entries, given in any order.
    ///
    /// # Errors
    /// [`DirectoryError`] for a duplicate name, and when there are too many entries or bytes.
    pub fn new(mut entries: Vec<DirectoryEntry>) -> Result<Self, DirectoryError> {
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if entries.len() > MOST_ENTRIES {
            return Err(DirectoryError::TooMany(entries.len()));
        }
        let mut pairs = entries.iter().zip(entries.iter().skip(1));
        if let Some((entry, _)) = pairs.find(|(a, b)| a.name == b.name) {
            return Err(DirectoryError::Order(entry.name.to_string_lossy().into_owned()));
        }
        let size = MAGIC.len() + 4 + entries.iter().map(DirectoryEntry::encoded_size).sum::<usize>();
        if size > LARGEST_DIRECTORY {
            return Err(DirectoryError::TooLarge(size));
        }
        Ok(Self { entries })
    }

    /// The entries, sorted by name.
    pub fn entries(&self) -> &[DirectoryEntry] {
        &self.entries
    }

    /// The entry with this name.
    pub fn get(&self, name: &[u8]) -> Option<&DirectoryEntry> {
        let at = self.entries.binary_search_by(|entry| entry.name.as_bytes().cmp(name)).ok()?;
        self.entries.get(at)
    }

    /// The bytes of the directory's blob.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        // At most MOST_ENTRIES; likewise the lengths of names and targets fit into their types.
        out.extend_from_slice(&(self.entries.len() as u32).to_be_bytes());
        for DirectoryEntry { name, node } in &self.entries {
            let kind = match node {
                EntryKind::File { executable: false, .. } => FILE,
                EntryKind::File { executable: true, .. } => EXECUTABLE,
                EntryKind::Directory { .. } => DIRECTORY,
                EntryKind::Symlink { .. } => SYMLINK,
            };
            out.extend_from_slice(&[kind, name.as_bytes().len() as u8]);
            out.extend_from_slice(name.as_bytes());
            match node {
                EntryKind::File { digest, size, .. } => {
                    out.extend_from_slice(&size.to_be_bytes());
                    out.extend_from_slice(&digest.0);
                }
                EntryKind::Directory { digest } => out.extend_from_slice(&digest.0),
                EntryKind::Symlink { target } => {
                    out.extend_from_slice(&(target.as_bytes().len() as u16).to_be_bytes());
                    out.extend_from_slice(target.as_bytes());
                }
            }
        }
        out
    }

    /// Reads a directory. Any accepted bytes [encode](Self::encode) to themselves.
    ///
    /// # Errors
    /// [`DirectoryError`] for anything that [`encode`](Self::encode) would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, DirectoryError> {
        if bytes.len() > LARGEST_DIRECTORY {
            return Err(DirectoryError::TooLarge(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        if reader.array()? != MAGIC {
            return Err(DirectoryError::Magic);
        }
        let count = reader.u32()? as usize;
        if count > MOST_ENTRIES {
            return Err(DirectoryError::TooMany(count));
        }
        if count * SMALLEST_ENTRY > reader.left() {
            return Err(DirectoryError::Ended);
        }
        let mut entries: Vec<DirectoryEntry> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = DirectoryEntry::read(&mut reader)?;
            if entries.last().is_some_and(|last| last.name >= entry.name) {
                return Err(DirectoryError::Order(entry.name.to_string_lossy().into_owned()));
            }
            entries.push(entry);
        }
        match reader.left() {
            0 => Ok(Self { entries }),
            left => Err(DirectoryError::Trailing(left)),
        }
    }
}

impl DirectoryEntry {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DirectoryError> {
        let kind = reader.u8()?;
        let length = reader.u8()?;
        let name = Name::new(reader.take(length.into())?)?;
        let node = match kind {
            FILE | EXECUTABLE => {
                let size = reader.u64()?;
                EntryKind::File { digest: Digest(reader.array()?), size, executable: kind == EXECUTABLE }
            }
            DIRECTORY => EntryKind::Directory { digest: Digest(reader.array()?) },
            SYMLINK => {
                let length = reader.u16()?;
                EntryKind::Symlink { target: Target::new(reader.take(length.into())?)? }
            }
            other => return Err(DirectoryError::Kind(other)),
        };
        Ok(Self { name, node })
    }

    fn encoded_size(&self) -> usize {
        let node = match &self.node {
            EntryKind::File { .. } => 8 + Digest::SIZE,
            EntryKind::Directory { .. } => Digest::SIZE,
            EntryKind::Symlink { target } => 2 + target.as_bytes().len(),
        };
        2 + self.name.as_bytes().len() + node
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn node() -> impl Strategy<Value = EntryKind> {
        prop_oneof![
            (any::<[u8; 32]>(), any::<u64>(), any::<bool>()).prop_map(|(digest, size, executable)| {
                EntryKind::File { digest: Digest(digest), size, executable }
            }),
            any::<[u8; 32]>().prop_map(|digest| EntryKind::Directory { digest: Digest(digest) }),
            "(\\.\\./){0,3}[a-z]{1,9}(/[a-z]{1,3}){0,3}"
                .prop_map(|text| EntryKind::Symlink { target: Target::new(text.as_bytes()).unwrap() }),
        ]
    }

    fn directory() -> impl Strategy<Value = Directory> {
        proptest::collection::btree_map(vec(any::<u8>(), 1..9), node(), 0..9).prop_map(|map| {
            let named = map
                .into_iter()
                .filter_map(|(name, node)| Name::new(&name).ok().map(|name| DirectoryEntry { name, node }));
            Directory::new(named.rev().collect()).unwrap()
        })
    }

    fn link(name: &[u8]) -> Vec<u8> {
        [&[SYMLINK, name.len() as u8][..], name, &[0, 1, b't']].concat()
    }

    fn blob(count: u32, entries: &[Vec<u8>]) -> Vec<u8> {
        [&MAGIC[..], &count.to_be_bytes(), &entries.concat()].concat()
    }

    #[test]
    fn the_layout_never_changes() {
        let entries = vec![
            DirectoryEntry {
                name: Name::new(b"z").unwrap(),
                node: EntryKind::Directory { digest: Digest([7; 32]) },
            },
            DirectoryEntry {
                name: Name::new(b"d8").unwrap(),
                node: EntryKind::File { digest: Digest([9; 32]), size: 258, executable: true },
            },
        ];
        let bytes =
            [&b"FLD\x01\0\0\0\x02\x01\x02d8\0\0\0\0\0\0\x01\x02"[..], &[9; 32], b"\x02\x01z", &[7; 32]]
                .concat();
        assert_eq!(Directory::new(entries).unwrap().encode(), bytes);
    }

    #[test]
    fn twice_one_name_and_unsorted_names_are_refused() {
        assert!(Directory::decode(&blob(2, &[link(b"a"), link(b"b")])).is_ok());
        for names in [[b"b", b"a"], [b"a", b"a"]] {
            let bytes = blob(2, &names.map(|name| link(name)));
            assert_eq!(Directory::decode(&bytes), Err(DirectoryError::Order("a".into())));
        }
        let twice = || DirectoryEntry {
            name: Name::new(b"a").unwrap(),
            node: EntryKind::Directory { digest: Digest([0; 32]) },
        };
        assert_eq!(Directory::new(vec![twice(), twice()]), Err(DirectoryError::Order("a".into())));
    }

    #[test]
    fn a_claimed_count_allocates_nothing() {
        assert_eq!(Directory::decode(&blob(u32::MAX, &[])), Err(DirectoryError::TooMany(u32::MAX as usize)));
        assert_eq!(Directory::decode(&blob(MOST_ENTRIES as u32, &[link(b"a")])), Err(DirectoryError::Ended));
    }

    #[test]
    fn hostile_entries_are_refused() {
        let one = |entry: Vec<u8>| Directory::decode(&blob(1, &[entry]));
        assert_eq!(one(link(b"..")), Err(DirectoryError::Name(NameError::Dots)));
        assert_eq!(one(link(b"a/b")), Err(DirectoryError::Name(NameError::Separator)));
        assert_eq!(one(link(b"")), Err(DirectoryError::Ended), "too short to be any entry");
        assert_eq!(one([link(b""), vec![0; 9]].concat()), Err(DirectoryError::Name(NameError::Empty)));
        assert_eq!(
            one([&[SYMLINK, 1, b'a', 0, 2][..], b"/x"].concat()),
            Err(DirectoryError::Target(TargetError::Absolute))
        );
        assert_eq!(one([&[4, 1, b'a'][..], &[0; 40]].concat()), Err(DirectoryError::Kind(4)));
        assert_eq!(one([link(b"a"), vec![0]].concat()), Err(DirectoryError::Trailing(1)));
        assert_eq!(Directory::decode(b"FLD\x02\0\0\0\0"), Err(DirectoryError::Magic));
        assert_eq!(Directory::decode(b""), Err(DirectoryError::Ended));
        let large = vec![0; LARGEST_DIRECTORY + 1];
        assert_eq!(Directory::decode(&large), Err(DirectoryError::TooLarge(large.len())));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(directory in directory()) {
            let bytes = directory.encode();
            prop_assert_eq!(Directory::decode(&bytes), Ok(directory.clone()));
            for entry in directory.entries() {
                prop_assert_eq!(directory.get(entry.name.as_bytes()), Some(entry));
            }
            for cut in 0..bytes.len() {
                prop_assert!(Directory::decode(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn whatever_is_accepted_has_no_other_bytes(directory in directory(), flips in vec(any::<proptest::sample::Index>(), 1..4)) {
            let mut bytes = directory.encode();
            for flip in flips {
                let bit = flip.index(bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            if let Ok(read) = Directory::decode(&bytes) {
                prop_assert_eq!(read.encode(), bytes);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Directory::decode(&[&MAGIC[..], &bytes].concat());
        }
    }
}
