//! Directories whose files become arguments.

use std::path::{Path, PathBuf};

use flotilla_messages::Arg;
use flotilla_messages::case::normalize;

/// A directory whose files become arguments: relative to the root if it lies below it.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
    /// Relative to the root, with a slash behind, if it is below the root.
    relative: Option<String>,
}

impl Place {
    /// The directory `path` of a tree whose root is `root`.
    pub fn new(root: &Path, path: &Path) -> Self {
        let path = normalize(path);
        let relative = match Arg::below(root, &path) {
            Arg::Path(relative) if relative.is_empty() => Some(String::new()),
            Arg::Path(relative) => Some(format!("{relative}/")),
            _ => None,
        };
        Self { path, relative }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file `name` in it, as an argument. The name is taken as it is.
    pub fn arg(&self, name: &str) -> Arg {
        match &self.relative {
            Some(relative) => Arg::Path(format!("{relative}{name}")),
            None => Arg::Text(self.path.join(name).to_string_lossy().into_owned()),
        }
    }

    /// The file `name` in it, where the name may lead out of it.
    pub fn arg_normalized(&self, root: &Path, name: &str) -> Arg {
        Arg::below(root, &normalize(&self.path.join(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_relative_to_the_root_where_they_can_be() {
        let root = Path::new("/v8");
        let inside = Place::new(root, Path::new("/v8/test/./mjsunit"));
        assert_eq!(inside.arg("a/b.js"), Arg::Path("test/mjsunit/a/b.js".into()));
        assert_eq!(inside.arg_normalized(root, "../x.js"), Arg::Path("test/x.js".into()));
        let outside = Place::new(root, Path::new("/other/mjsunit"));
        assert_eq!(outside.arg("b.js"), Arg::Text("/other/mjsunit/b.js".into()));
        assert_eq!(Place::new(root, root).arg("b.js"), Arg::Path("b.js".into()));
    }
}
