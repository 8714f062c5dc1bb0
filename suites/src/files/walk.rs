//! Finding test files.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Which files of a suite are tests.
#[derive(Clone, Debug, Default)]
pub struct WalkRules {
    /// Extensions of tests, with the dot. The first one wins where a test exists with several.
    pub extensions: Vec<String>,
    /// Files that are no tests, by name, at any depth.
    pub excluded_files: Vec<String>,
    /// Ends of file names that are no tests.
    pub excluded_suffixes: Vec<String>,
    /// Directories that are not walked, by name, at any depth.
    pub excluded_dirs: Vec<String>,
    /// The directories that tests are in, of those in the root of the walk; empty: all.
    pub top_dirs: Vec<String>,
}

impl WalkRules {
    /// Every file is a test, extension and all.
    pub fn all_files() -> Self {
        Self { extensions: vec![String::new()], ..Self::default() }
    }
}

/// A test file.
pub struct FoundFile<'a> {
    /// Its path below the walk's root, without the extension, `/` between components. Text that is not UTF-8 is
    /// replaced.
    pub name: &'a str,
    /// Which of the suite's extensions it has.
    pub extension: usize,
    /// Whether the path is UTF-8.
    pub utf8: bool,
}

/// Where a file that was found lies: packed into a number, it is how a kind knows a test that is a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKey {
    /// Which of the suite's directories of tests it is in.
    pub dir: u8,
    /// Which of the suite's extensions it has.
    pub extension: u8,
    /// Whether its path is UTF-8: if not, it cannot be run.
    pub utf8: bool,
}

impl FileKey {
    /// As one number.
    pub fn pack(self) -> u32 {
        u32::from_le_bytes([self.dir, self.extension, self.utf8.into(), 0])
    }

    /// What was packed.
    pub fn unpack(packed: u32) -> Self {
        let [dir, extension, utf8, _] = packed.to_le_bytes();
        Self { dir, extension, utf8: utf8 != 0 }
    }
}

/// Walks a directory as V8 does: each directory's files in byte order, then its subdirectories likewise; symbolic
/// links are followed, but not back up (Python's `os.walk(followlinks=True)` would go round until paths get too long).
///
/// `enter` says whether a directory, given as a prefix of names (`a/b/`), can hold tests that matter. What a person
/// should know goes to `warnings`. A root that does not exist holds no tests.
pub fn walk(
    root: &Path,
    rules: &WalkRules,
    enter: impl Fn(&str) -> bool,
    mut visit: impl FnMut(FoundFile<'_>),
    warnings: &mut Vec<String>,
) {
    let mut waiting = vec![Directory { path: root.into(), prefix: String::new(), utf8: true, links: None }];
    let mut name = String::new();
    while let Some(directory) = waiting.pop() {
        let (mut files, mut subdirectories) = match directory.read(warnings) {
            Ok(entries) => entries,
            Err(_) if directory.prefix.is_empty() && !root.exists() => return,
            Err(e) => {
                warnings.push(format!("cannot list {}: {e}", directory.path.display()));
                continue;
            }
        };
        // Where only some directories hold tests, none lie beside them.
        let top = directory.prefix.is_empty() && !rules.top_dirs.is_empty();
        if top {
            files.clear();
            subdirectories
                .retain(|(name, _)| rules.top_dirs.iter().any(|dir| name.as_os_str() == dir.as_str()));
        }
        for file in &files {
            let text = file.to_string_lossy();
            let Some((stem, extension)) = test_name(&text, rules) else { continue };
            // Python would list both and run the first one twice.
            let first = rules.extensions[..extension]
                .iter()
                .find(|other| files.binary_search(&OsString::from(format!("{stem}{other}"))).is_ok());
            if let Some(first) = first {
                let path = directory.path.join(file);
                warnings.push(format!("{} is left out: there is a {stem}{first} beside it", path.display()));
                continue;
            }
            name.clear();
            name.push_str(&directory.prefix);
            name.push_str(stem);
            let utf8 = directory.utf8 && file.to_str().is_some();
            visit(FoundFile { name: &name, extension, utf8 });
        }
        subdirectories.retain(|(name, _)| {
            let excluded = rules.excluded_dirs.iter().any(|excluded| name.as_os_str() == excluded.as_str());
            let hidden = name.as_encoded_bytes().starts_with(b".");
            !(hidden || excluded)
        });
        // The last one pushed is the next one walked.
        for (name, is_link) in subdirectories.into_iter().rev() {
            let prefix = format!("{}{}/", directory.prefix, name.to_string_lossy());
            if !enter(&prefix) {
                continue;
            }
            let path = directory.path.join(&name);
            let links = if is_link {
                match directory.follow(&path) {
                    Some(links) => Some(links),
                    None => {
                        warnings.push(format!("{} is not followed: it leads back up", path.display()));
                        continue;
                    }
                }
            } else {
                directory.links.clone()
            };
            let utf8 = directory.utf8 && name.to_str().is_some();
            waiting.push(Directory { path, prefix, utf8, links });
        }
    }
}

/// A directory to walk.
struct Directory {
    path: PathBuf,
    /// What its tests' names begin with.
    prefix: String,
    utf8: bool,
    links: Option<Rc<Link>>,
}

/// A symbolic link on the way to a directory: the real path of the directory it stands in, and those before it.
struct Link {
    from: PathBuf,
    before: Option<Rc<Link>>,
}

/// Names of files, and names of subdirectories with whether they are symbolic links; both in byte order.
type Entries = (Vec<OsString>, Vec<(OsString, bool)>);

impl Directory {
    fn read(&self, warnings: &mut Vec<String>) -> std::io::Result<Entries> {
        let (mut files, mut subdirectories) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.path)? {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    warnings.push(format!("cannot list all of {}: {e}", self.path.display()));
                    break;
                }
            };
            // The kind comes with the name; only links need a look.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                subdirectories.push((entry.file_name(), false));
            } else if kind.is_symlink() && entry.path().is_dir() {
                subdirectories.push((entry.file_name(), true));
            } else {
                files.push(entry.file_name());
            }
        }
        files.sort_unstable();
        subdirectories.sort_unstable();
        Ok((files, subdirectories))
    }

    /// The links on the way to what the link at `path` leads to; `None` if that is a directory we are within.
    fn follow(&self, path: &Path) -> Option<Rc<Link>> {
        let target = fs::canonicalize(path).ok()?;
        let from = fs::canonicalize(&self.path).ok()?;
        let mut within = from.starts_with(&target);
        let mut link = &self.links;
        while let Some(Link { from, before }) = link.as_deref() {
            within |= from.starts_with(&target);
            link = before;
        }
        (!within).then(|| Rc::new(Link { from, before: self.links.clone() }))
    }
}

/// A file's name without its extension, and which extension, if it is a test's.
fn test_name<'a>(file: &'a str, rules: &WalkRules) -> Option<(&'a str, usize)> {
    let found = rules
        .extensions
        .iter()
        .enumerate()
        .find_map(|(i, extension)| file.strip_suffix(extension.as_str()).map(|stem| (stem, i)))?;
    let excluded = rules.excluded_files.iter().any(|excluded| excluded == file)
        || rules.excluded_suffixes.iter().any(|suffix| file.ends_with(suffix.as_str()));
    (!excluded).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::for_tests::tree;

    fn rules() -> WalkRules {
        WalkRules { extensions: vec![".js".into(), ".mjs".into()], ..WalkRules::default() }
    }

    fn names(root: &Path, enter: impl Fn(&str) -> bool) -> (Vec<String>, Vec<String>) {
        let (mut names, mut warnings) = (Vec::new(), Vec::new());
        walk(root, &rules(), enter, |file| names.push(file.name.to_string()), &mut warnings);
        (names, warnings)
    }

    #[test]
    fn files_come_before_subdirectories_both_in_byte_order() {
        let root = tree(&[
            "b.js",
            "Z.mjs",
            "a/z.js",
            "a/b/c.js",
            "a-b.js",
            "c.txt",
            "d/e.js",
            "a/.x.js",
            ".git/a.js",
        ]);
        assert_eq!(names(root.path(), |_| true).0, ["Z", "a-b", "b", "a/.x", "a/z", "a/b/c", "d/e"]);
        assert_eq!(names(root.path(), |dir| dir.starts_with("a/")).0.last().unwrap(), "a/b/c");
    }

    #[test]
    fn of_two_tests_of_one_name_the_first_extension_wins() {
        let root = tree(&["a.js", "a.k.js", "a.mjs"]);
        let (names, warnings) = names(root.path(), |_| true);
        assert_eq!(names, ["a", "a.k"]);
        assert!(warnings[0].ends_with("a.mjs is left out: there is a a.js beside it"), "{warnings:?}");
    }

    #[test]
    fn a_missing_root_holds_no_tests() {
        assert_eq!(names(Path::new("/nonexistent/x"), |_| true), (vec![], vec![]));
    }

    #[test]
    fn keys_come_apart_as_they_were_packed() {
        for key in [
            FileKey { dir: 0, extension: 0, utf8: true },
            FileKey { dir: 255, extension: 1, utf8: false },
            FileKey { dir: 1, extension: 255, utf8: true },
        ] {
            assert_eq!(FileKey::unpack(key.pack()), key);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_round_and_round() {
        use std::os::unix::fs::symlink;
        let root = tree(&["x/a.js", "y/b.js", "z/c.js"]);
        symlink("../y", root.path().join("x/to_y")).unwrap();
        symlink("../x", root.path().join("y/to_x")).unwrap();
        symlink("..", root.path().join("z/up")).unwrap();
        symlink("nowhere", root.path().join("broken.js")).unwrap();
        let (names, warnings) = names(root.path(), |_| true);
        assert_eq!(names, ["broken", "x/a", "x/to_y/b", "y/b", "y/to_x/a", "z/c"]);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_are_found_and_marked() {
        use std::os::unix::ffi::OsStringExt;
        let root = tree(&["a.js"]);
        let odd = OsString::from_vec(b"b\xff.js".to_vec());
        if fs::write(root.path().join(odd), "").is_err() {
            return; // This file system refuses such names.
        }
        let mut found = Vec::new();
        walk(root.path(), &rules(), |_| true, |f| found.push((f.name.to_string(), f.utf8)), &mut vec![]);
        assert_eq!(found, [("a".to_string(), true), ("b\u{fffd}".to_string(), false)]);
    }
}
