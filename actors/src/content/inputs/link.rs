//! What a symbolic link says in the tree.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use flotilla_messages::inputs::Target;

use super::error::ScanError;

/// The target of a link at `path`, which lies `place` below `root`; `root` has no links in it.
///
/// A target that stays inside by its text is kept as it is, even if nothing is there. Another one, absolute for instance,
/// is kept if it leads to something inside, as the shortest relative path.
pub(super) fn target(root: &Path, place: &Path, path: &Path) -> Result<Target, ScanError> {
    let text = fs::read_link(path).map_err(ScanError::io(path))?;
    let depth = place.components().count().saturating_sub(1);
    if let Ok(target) = Target::new(text.as_os_str().as_bytes())
        && target.climbs() <= depth
    {
        return Ok(target);
    }
    let inside = fs::canonicalize(path).ok().and_then(|real| {
        let inside = relative(place.parent().unwrap_or(Path::new("")), real.strip_prefix(root).ok()?);
        Target::new(&inside).ok()
    });
    inside.ok_or_else(|| ScanError::Leaves { path: path.to_owned(), target: text, root: root.to_owned() })
}

/// How `to` is reached from the directory `from`, both below one root.
fn relative(from: &Path, to: &Path) -> Vec<u8> {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| OsStr::new(".."));
    let down = to.components().skip(shared).map(Component::as_os_str);
    let path = up.chain(down).collect::<Vec<_>>().join(OsStr::new("/"));
    if path.is_empty() { b".".to_vec() } else { path.into_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_is_found() {
        let way = |from: &str, to: &str| String::from_utf8(relative(Path::new(from), Path::new(to))).unwrap();
        assert_eq!(way("a/b", "a/c/d"), "../c/d");
        assert_eq!(way("", "a"), "a");
        assert_eq!(way("a", ""), "..");
        assert_eq!(way("a", "a"), ".");
        assert_eq!(way("ab", "a"), "../a");
    }
}
