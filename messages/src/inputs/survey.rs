//! What a tree contains, as far as its directories are present, and the limits on what it may contain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::digest::Digest;
use super::directory::{Directory, DirectoryError, EntryKind};

/// Limits on the unfolded tree: every occurrence of a directory or file counts, even if one blob represents them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// Number of files, directories and links.
    pub entries: u64,
    /// Nesting depth of directories; the root is at depth 0.
    pub depth: usize,
    /// Total size of all files in bytes.
    pub bytes: u64,
    /// Length in bytes of one path from the root.
    pub path: usize,
    /// Total length in bytes of the paths of all directories, which a survey holds in memory.
    pub paths: usize,
}

impl Default for TreeLimits {
    /// A million entries (all of V8's tests with test262 are about 80,000), depth 64, 64 GiB, paths of 3 KiB and 64
    /// MiB of them.
    fn default() -> Self {
        Self { entries: 1_000_000, depth: 64, bytes: 64 << 30, path: 3 << 10, paths: 64 << 20 }
    }
}

/// The contents of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Each occurrence of each directory that is present, parents before children; the root first.
    pub directories: Vec<SurveyedDirectory>,
    /// The digests of missing directories, sorted. More may be missing below them.
    pub missing: Vec<Digest>,
    /// The files of all directories that are present, with their sizes in bytes.
    pub files: BTreeMap<Digest, u64>,
    /// Number of occurrences of files, directories and links.
    pub entries: u64,
    /// Total size in bytes of all occurrences of files.
    pub bytes: u64,
}

/// One occurrence of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyedDirectory {
    /// The path from the root, with `/` between names; empty for the root.
    pub path: Vec<u8>,
    /// The number of directories that contain it.
    pub depth: usize,
    /// The digest of its blob.
    pub digest: Digest,
    /// Its entries.
    pub directory: Arc<Directory>,
}

/// Why a tree is rejected: its sender is faulty or hostile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// A blob named as a directory is not one.
    #[error("blob {digest} is no directory: {source}")]
    Directory {
        /// The digest of the blob.
        digest: Digest,
        /// What is wrong with the blob.
        source: DirectoryError,
    },
    /// A limit is exceeded.
    #[error("the tree has more than {limit} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A link that goes up further than its depth in the tree.
    #[error("the link {path} leads out of the tree")]
    Escape {
        /// The path of the link.
        path: String,
    },
    /// Two different sizes for one digest, of which one must be wrong.
    #[error("the tree gives two sizes for blob {0}")]
    TwoSizes(Digest),
}

/// Surveys the tree below `root`, as far as `load` has its directories. Each directory is loaded once, however often
/// it occurs.
///
/// The caller fetches what is [missing](Survey::missing) and surveys again. This takes one round trip per unknown
/// level of the tree, and none if all of it is present.
///
/// # Errors
/// A [`SurveyError`] when the tree breaks a limit or a rule, and any error of `load`.
pub fn survey<E: From<SurveyError>>(
    root: Digest,
    limits: &TreeLimits,
    mut load: impl FnMut(&Digest) -> Result<Option<Vec<u8>>, E>,
) -> Result<Survey, E> {
    let mut known: BTreeMap<Digest, Option<Arc<Directory>>> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    let mut found = Survey::default();
    let mut paths = 0;
    let mut ahead = vec![(Vec::new(), 0, root)];
    while let Some((path, depth, digest)) = ahead.pop() {
        let directory = match known.get(&digest) {
            Some(directory) => directory.clone(),
            None => {
                let loaded = match load(&digest)? {
                    Some(bytes) => Some(Arc::new(
                        Directory::decode(&bytes)
                            .map_err(|source| SurveyError::Directory { digest, source })?,
                    )),
                    None => None,
                };
                known.insert(digest, loaded.clone());
                loaded
            }
        };
        let Some(directory) = directory else {
            missing.insert(digest);
            continue;
        };
        found.entries += directory.entries().len() as u64;
        within("files and directories", found.entries, limits.entries)?;
        paths += path.len();
        within("bytes of paths", paths as u64, limits.paths as u64)?;
        for entry in directory.entries().iter().rev() {
            let name = entry.name.as_bytes();
            within("bytes in a path", (path.len() + 1 + name.len()) as u64, limits.path as u64)?;
            match &entry.node {
                EntryKind::File { digest, size, .. } => {
                    found.bytes = found.bytes.saturating_add(*size);
                    within("bytes", found.bytes, limits.bytes)?;
                    if found.files.insert(*digest, *size).is_some_and(|other| other != *size) {
                        return Err(SurveyError::TwoSizes(*digest).into());
                    }
                }
                EntryKind::Directory { digest } => {
                    within("directories in one another", depth as u64 + 1, limits.depth as u64)?;
                    ahead.push((join(&path, name), depth + 1, *digest));
                }
                EntryKind::Symlink { target } => {
                    if target.climbs() > depth {
                        let path = String::from_utf8_lossy(&join(&path, name)).into_owned();
                        return Err(SurveyError::Escape { path }.into());
                    }
                }
            }
        }
        found.directories.push(SurveyedDirectory { path, depth, digest, directory });
    }
    found.missing = missing.into_iter().collect();
    Ok(found)
}

fn within(what: &'static str, size: u64, limit: u64) -> Result<(), SurveyError> {
    if size > limit { Err(SurveyError::TooMuch { what, limit }) } else { Ok(()) }
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{DirectoryEntry, Name, Target};

    #[derive(Default)]
    struct Blobs(BTreeMap<Digest, Vec<u8>>);

    impl Blobs {
        fn directory(&mut self, entries: &[(&str, EntryKind)]) -> EntryKind {
            let entry = |(name, node): &(&str, EntryKind)| DirectoryEntry {
                name: Name::new(name.as_bytes()).unwrap(),
                node: node.clone(),
            };
            let bytes = Directory::new(entries.iter().map(entry).collect()).unwrap().encode();
            let digest = Digest::of(&bytes);
            self.0.insert(digest, bytes);
            EntryKind::Directory { digest }
        }

        fn survey(&self, root: &EntryKind, limits: &TreeLimits) -> Result<Survey, SurveyError> {
            let EntryKind::Directory { digest } = root else { panic!("a directory") };
            survey(*digest, limits, |digest| Ok(self.0.get(digest).cloned()))
        }
    }

    fn file(text: &str) -> EntryKind {
        EntryKind::File { digest: Digest::of(text.as_bytes()), size: text.len() as u64, executable: false }
    }

    fn link(target: &str) -> EntryKind {
        EntryKind::Symlink { target: Target::new(target.as_bytes()).unwrap() }
    }

    fn too_much(survey: Result<Survey, SurveyError>) -> &'static str {
        match survey {
            Err(SurveyError::TooMuch { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_place_is_found_and_each_directory_loaded_once() {
        let mut blobs = Blobs::default();
        let inner = blobs.directory(&[("x", file("one")), ("y", file("two!"))]);
        let root = blobs.directory(&[("b", inner.clone()), ("a", inner), ("z", file("one"))]);
        let EntryKind::Directory { digest } = root else { unreachable!() };
        let mut loads = 0;
        let found = survey(digest, &TreeLimits::default(), |digest| {
            loads += 1;
            Ok::<_, SurveyError>(blobs.0.get(digest).cloned())
        })
        .unwrap();
        assert_eq!(loads, 2);
        let paths: Vec<_> = found.directories.iter().map(|at| String::from_utf8_lossy(&at.path)).collect();
        assert_eq!(paths, ["", "a", "b"]);
        assert_eq!((found.entries, found.bytes, found.files.len()), (7, 17, 2));
        assert_eq!(found.missing, []);
    }

    #[test]
    fn directories_that_are_not_here_are_named_once() {
        let mut blobs = Blobs::default();
        let gone = EntryKind::Directory { digest: Digest([1; 32]) };
        let root = blobs.directory(&[("a", gone.clone()), ("b", gone)]);
        let found = blobs.survey(&root, &TreeLimits::default()).unwrap();
        assert_eq!(found.missing, [Digest([1; 32])]);
        assert_eq!(found.directories.len(), 1);
    }

    #[test]
    fn a_tree_that_unfolds_without_end_is_refused() {
        let mut blobs = Blobs::default();
        let mut node = blobs.directory(&[("x", file("x"))]);
        for _ in 0..40 {
            node = blobs.directory(&[("a", node.clone()), ("b", node)]);
        }
        assert_eq!(too_much(blobs.survey(&node, &TreeLimits::default())), "files and directories");
    }

    #[test]
    fn every_limit_is_kept() {
        let mut blobs = Blobs::default();
        let inner = blobs.directory(&[("name", file("text"))]);
        let root = blobs.directory(&[("inner", inner)]);
        let exact = TreeLimits { entries: 2, depth: 1, bytes: 4, path: 10, paths: 5 };
        assert!(blobs.survey(&root, &exact).is_ok());
        let what = |limits| too_much(blobs.survey(&root, &limits));
        assert_eq!(what(TreeLimits { entries: 1, ..exact }), "files and directories");
        assert_eq!(what(TreeLimits { depth: 0, ..exact }), "directories in one another");
        assert_eq!(what(TreeLimits { bytes: 3, ..exact }), "bytes");
        assert_eq!(what(TreeLimits { path: 9, ..exact }), "bytes in a path");
        assert_eq!(what(TreeLimits { paths: 4, ..exact }), "bytes of paths");
    }

    #[test]
    fn sizes_that_add_up_to_more_than_a_number_holds_are_too_much() {
        let mut blobs = Blobs::default();
        let vast = |byte| EntryKind::File { digest: Digest([byte; 32]), size: u64::MAX, executable: false };
        let root = blobs.directory(&[("a", vast(1)), ("b", vast(2))]);
        assert_eq!(too_much(blobs.survey(&root, &TreeLimits::default())), "bytes");
    }

    #[test]
    fn links_go_up_to_the_root_and_no_further() {
        let mut blobs = Blobs::default();
        let limits = TreeLimits::default();
        let good = blobs.directory(&[("up", link("../x"))]);
        let root = blobs.directory(&[("d", good.clone())]);
        assert!(blobs.survey(&root, &limits).is_ok());
        assert_eq!(blobs.survey(&good, &limits), Err(SurveyError::Escape { path: "up".into() }));
        let bad = blobs.directory(&[("up", link("../.."))]);
        let root = blobs.directory(&[("d", bad)]);
        assert_eq!(blobs.survey(&root, &limits), Err(SurveyError::Escape { path: "d/up".into() }));
    }

    #[test]
    fn one_digest_has_one_size_and_a_file_is_no_directory() {
        let mut blobs = Blobs::default();
        let sized = |size| EntryKind::File { digest: Digest([1; 32]), size, executable: false };
        let root = blobs.directory(&[("a", sized(1)), ("b", sized(2))]);
        let limits = TreeLimits::default();
        assert_eq!(blobs.survey(&root, &limits), Err(SurveyError::TwoSizes(Digest([1; 32]))));
        let text = Digest::of(b"text");
        blobs.0.insert(text, b"text".to_vec());
        let survey = blobs.survey(&EntryKind::Directory { digest: text }, &limits);
        assert!(matches!(survey, Err(SurveyError::Directory { digest, .. }) if digest == text));
    }
}
