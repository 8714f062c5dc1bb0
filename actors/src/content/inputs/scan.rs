//! From files on disk to a tree.

use crate::kit::unix_nanos;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use flotilla_messages::inputs::EntryKind;
use rayon::prelude::*;
use walkdir::WalkDir;

use super::error::ScanError;
use super::file::{self, Stat};
use super::link;
use super::stat_cache::{StatCache, StatRecord};
use super::tree::{Builder, Counts, Source, Tree};

/// Directories that no test reads and that change all the time. They are not shipped.
pub const LEFT_OUT: [&str; 4] = [".git", ".hg", ".svn", "__pycache__"];

/// Bytes of new files that are kept, so that they are read once: all of a suite that a peer sees for the first time.
const KEPT: u64 = 96 << 20;

/// What is shipped.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The root of the tests; the tree's places are relative to it.
    pub root: PathBuf,
    /// Files and directories below the root, relative to it; all of it with an empty path. The same may be in several.
    pub chosen: Vec<PathBuf>,
    /// Others, wherever they are.
    pub placed: Vec<Placed>,
}

/// A file or directory that gets a place in the tree, such as the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where it is; a link is followed.
    pub source: PathBuf,
    /// Where it appears, relative to the root.
    pub place: PathBuf,
}

/// Something found on disk.
struct ScannedEntry {
    /// In the tree.
    place: PathBuf,
    path: PathBuf,
    kind: fs::FileType,
    /// Which of the bases it belongs to.
    base: usize,
}

/// What links must stay in: a directory without links on the way to it, and its place.
struct Base {
    root: PathBuf,
    place: PathBuf,
}

/// What something found is in the tree.
enum Shipped {
    Directory,
    Leaf(EntryKind),
    File { node: EntryKind, source: Source, record: Option<StatRecord>, read: bool },
}

/// The tree of a selection. Files that the cache knows unchanged are not read; the cache learns of the others, and has
/// to be [saved](StatCache::save).
///
/// Of permissions only the executable bit is kept. Links stay links. [`LEFT_OUT`] is left out. Blocks, on all cores.
///
/// # Errors
/// [`ScanError`] for anything that cannot be shipped as it is, with its path.
pub fn scan(selection: &Selection, cache: &mut StatCache) -> Result<Tree, ScanError> {
    let root = fs::canonicalize(&selection.root).map_err(ScanError::io(&selection.root))?;
    let mut bases = vec![Base { root: root.clone(), place: PathBuf::new() }];
    let mut found = Vec::new();
    for chosen in outermost(&selection.chosen)? {
        walk(&root.join(&chosen), &chosen, false, 0, &mut found)?;
    }
    for Placed { source, place } in &selection.placed {
        let place = confined(place)?;
        let source = fs::canonicalize(source).map_err(ScanError::io(source))?;
        walk(&source, &place, true, bases.len(), &mut found)?;
        bases.push(Base { root: source, place });
    }
    let known = &*cache;
    let room = AtomicU64::new(KEPT);
    let shipped: Vec<_> = found
        .into_par_iter()
        .map(|found| {
            let base = &bases[found.base];
            ship(&found, base, known, &room).map(|shipped| (found.place, shipped))
        })
        .collect::<Result<_, ScanError>>()?;

    let mut builder = Builder::default();
    let mut files = BTreeMap::new();
    let mut counts = Counts::default();
    let mut records = Vec::new();
    for (place, shipped) in shipped {
        let leaf = match shipped {
            Shipped::Directory => None,
            Shipped::Leaf(node) => Some(node),
            Shipped::File { node, source, record, read } => {
                counts.files += 1;
                counts.bytes += source.size;
                counts.read += u64::from(read);
                records.extend(record);
                if let EntryKind::File { digest, .. } = node {
                    // More files than that are more than a tree may have.
                    let order = u32::try_from(counts.files).unwrap_or(u32::MAX);
                    files.entry(digest).or_insert(Source { order, ..source });
                }
                Some(node)
            }
        };
        builder.insert(&place, leaf)?;
    }
    cache.absorb(records);
    let (root, directories) = builder.finish()?;
    Ok(Tree { root, directories, files, counts })
}

/// The paths that lie in none of the others.
fn outermost(chosen: &[PathBuf]) -> Result<Vec<PathBuf>, ScanError> {
    let mut chosen = chosen.iter().map(|path| confined(path)).collect::<Result<Vec<_>, _>>()?;
    // Component by component, so that everything in a directory comes right after it.
    chosen.sort();
    chosen.dedup_by(|path, before| path.starts_with(&*before));
    Ok(chosen)
}

/// The path without `.`, if it has no `..` and is not absolute.
fn confined(path: &Path) -> Result<PathBuf, ScanError> {
    let part = |component| match component {
        Component::Normal(name) => Some(Ok(name)),
        Component::CurDir => None,
        _ => Some(Err(ScanError::Outside(path.to_owned()))),
    };
    path.components().filter_map(part).collect()
}

/// Finds everything at and below `source`.
fn walk(
    source: &Path,
    place: &Path,
    follow: bool,
    base: usize,
    found: &mut Vec<ScannedEntry>,
) -> Result<(), ScanError> {
    let left_out = |name: &OsStr| LEFT_OUT.iter().any(|left_out| name == *left_out);
    let entries = WalkDir::new(source)
        .follow_root_links(follow)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !left_out(entry.file_name()));
    for entry in entries {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(source).to_owned();
            let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links"));
            ScanError::Io { path, source }
        })?;
        // What is walked begins with where the walk began.
        let below = entry.path().strip_prefix(source).unwrap_or(Path::new(""));
        let place = if below.as_os_str().is_empty() { place.to_owned() } else { place.join(below) };
        found.push(ScannedEntry { place, kind: entry.file_type(), path: entry.into_path(), base });
    }
    Ok(())
}

/// Makes of something found what it is in the tree.
fn ship(
    found: &ScannedEntry,
    base: &Base,
    cache: &StatCache,
    room: &AtomicU64,
) -> Result<Shipped, ScanError> {
    let ScannedEntry { place, path, kind, .. } = found;
    if kind.is_dir() {
        return Ok(Shipped::Directory);
    }
    if kind.is_symlink() {
        let below = place.strip_prefix(&base.place).unwrap_or(place);
        return Ok(Shipped::Leaf(EntryKind::Symlink { target: link::target(&base.root, below, path)? }));
    }
    if !kind.is_file() {
        return Err(ScanError::Special(path.clone()));
    }
    let began = unix_nanos();
    let meta = fs::symlink_metadata(path).map_err(ScanError::io(path))?;
    let stat = Stat::of(&meta);
    let (digest, stat, content, read) = match cache.get(&stat) {
        Some(digest) if meta.is_file() => (digest, stat, None, false),
        _ => {
            let file::Content { digest, stat, content } = file::digest(path)?;
            let take = |left: u64| left.checked_sub(stat.size);
            let content = content.filter(|_| room.fetch_update(Relaxed, Relaxed, take).is_ok());
            (digest, stat, content.map(Arc::from), true)
        }
    };
    let source = Source { path: path.clone(), size: stat.size, order: 0, content };
    let node = EntryKind::File { digest, size: stat.size, executable: stat.executable() };
    Ok(Shipped::File { node, source, record: StatRecord::settled(stat, digest, began), read })
}
