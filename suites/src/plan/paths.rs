//! Tests named by the paths of their files, as a shell completes them: `test/mjsunit/array-sort.js`, an absolute path, or
//! one seen from the current directory. A directory stands for all that is below it.

use std::path::{Path, PathBuf};

use flotilla_messages::case::normalize;

use crate::custom::{self, Kind};
use crate::files::select::{Pattern, Selector};
use crate::v8::dialect::{Dialect, Listing, SuiteRules};

/// Where paths can be seen from, and what they can mean.
pub struct Places<'a> {
    /// The tree's root.
    pub root: &'a Path,
    /// The directory of its suites.
    pub test_root: &'a Path,
    /// The current directory, if paths are seen from one.
    pub here: Option<&'a Path>,
    /// The rules of its suites.
    pub dialect: &'static Dialect,
}

impl Places<'_> {
    /// What was typed, if it is a path: of a test's file, with or without its extension, or of a directory. A pattern is
    /// one if what stands before its first `*` leads to a directory of a suite.
    pub fn selector(&self, text: &str) -> Option<Selector> {
        let found = match text.find('*') {
            Some(star) => {
                let dir = text[..star].rfind('/').map_or("", |slash| &text[..slash]);
                let rest = &text[dir.len()..];
                let below = self.candidates(dir).find(|path| path.is_dir() && self.within(path).is_some())?;
                let inside = self.within(&below)?;
                // What is no path is a pattern of names already.
                if inside == Path::new(dir) {
                    return None;
                }
                let text = format!("{}/{}", inside.to_str()?, rest.trim_start_matches('/'));
                Selector::new(&text, false)
            }
            None => self.candidates(text).find_map(|path| self.of_path(&path, text.ends_with('/')))?,
        };
        Some(Selector { text: text.to_owned(), ..found })
    }

    /// Whether a path is the directory of all suites, or one above it in this tree.
    pub fn is_all(&self, text: &str) -> bool {
        let is_above = |path: &Path| self.test_root.starts_with(path) && path.starts_with(self.root);
        let path = normalize(&self.here.unwrap_or(self.root).join(text));
        path.is_dir() && is_above(&path)
    }

    /// The files or directories that a path can mean, those that people most often mean first.
    fn candidates(&self, text: &str) -> impl Iterator<Item = PathBuf> {
        let seen_from = [Some(self.test_root), self.here, Some(self.root)];
        let mut places: Vec<PathBuf> =
            seen_from.into_iter().flatten().map(|place| normalize(&place.join(text))).collect();
        // The way there may lead over links.
        places.extend(self.here.and_then(|here| here.join(text).canonicalize().ok()));
        places.into_iter()
    }

    /// A path as seen from the directory of the suites, if it lies in one.
    fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.strip_prefix(self.test_root).ok().filter(|inside| inside.components().next().is_some())
    }

    /// `is_dir`: a slash stands behind it.
    fn of_path(&self, path: &Path, is_dir: bool) -> Option<Selector> {
        let inside = self.within(path)?.to_str()?;
        let (suite, rest) = inside.split_once('/').unwrap_or((inside, ""));
        let dir = self.test_root.join(suite);
        if !dir.is_dir() {
            return None;
        }
        let rules = self.dialect.suites.find(suite);
        let pattern = if dir.join(custom::FILE).is_file() {
            of_own(self.root, &dir, path, rest)?
        } else {
            of_known(rules?, &dir, rest, is_dir)?
        };
        Some(Selector { text: inside.to_owned(), suite: suite.to_owned(), pattern, from_group: false })
    }
}

/// The tests of one of V8's suites that a path in its directory means.
fn of_known(rules: &SuiteRules, suite: &Path, rest: &str, says_dir: bool) -> Option<Pattern> {
    let is_listed = !matches!(rules.listing, Listing::Files);
    // Names of listed tests are their files', if they have any.
    let dirs: &[&str] = if is_listed { &[""] } else { rules.test_dirs };
    let inside = |dir: &&str| match *dir {
        "" => Some(rest),
        dir if rest == dir => Some(""),
        dir => rest.strip_prefix(dir)?.strip_prefix('/'),
    };
    // Of several directories the longest counts.
    let mut found: Vec<&str> = dirs.iter().filter_map(inside).collect();
    found.sort_by_key(|name| name.len());
    let is_dir = suite.join(rest).is_dir();
    let Some(name) = found.first() else {
        // A directory above that of the tests.
        let above = dirs.iter().any(|dir| Path::new(dir).starts_with(rest));
        return (is_dir && above).then_some(Pattern::All);
    };
    if is_listed {
        return suite.join(rest).exists().then(|| of_name(name, is_dir));
    }
    // A test may be called like a directory.
    let is_test = |name: &str| dirs.iter().any(|dir| has_extension(&suite.join(dir).join(name), rules));
    if is_test(name) && !(says_dir && is_dir) {
        return Some(Pattern::Exact((*name).to_owned()));
    }
    if is_dir {
        return Some(of_name(name, true));
    }
    let stem = rules.extensions.iter().find_map(|extension| name.strip_suffix(extension))?;
    suite.join(rest).is_file().then(|| Pattern::Exact(stem.to_owned()))
}

/// Whether there is a test's file of this name, to which its extension is still to be added.
fn has_extension(file: &Path, rules: &SuiteRules) -> bool {
    let with = |extension: &&str| {
        let mut file = file.as_os_str().to_owned();
        file.push(extension);
        Path::new(&file).is_file()
    };
    rules.extensions.iter().any(with)
}

fn of_name(name: &str, is_dir: bool) -> Pattern {
    match (name, is_dir) {
        ("", _) => Pattern::All,
        (name, true) => Pattern::Below(name.to_owned()),
        (name, false) => Pattern::Exact(name.to_owned()),
    }
}

/// The tests of a suite of one's own that a path in its directory means.
fn of_own(root: &Path, suite: &Path, path: &Path, rest: &str) -> Option<Pattern> {
    if rest.is_empty() {
        return Some(Pattern::All);
    }
    // What is wrong with it is said where the suite is opened.
    let (config, _) = custom::config(root, suite).ok()?;
    let Kind::Files { keep_extensions, .. } = config.kind else { return None };
    let tests = normalize(&suite.join(&config.dir));
    let Some(name) = path.strip_prefix(&tests).ok().and_then(Path::to_str) else {
        return tests.starts_with(path).then_some(Pattern::All);
    };
    if path.is_dir() {
        return Some(of_name(name, true));
    }
    let name = if keep_extensions { name } else { custom::stem(name) };
    path.is_file().then(|| Pattern::Exact(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::v8::dialect::NEWEST;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    /// What a path typed in `here` means, as `suite: pattern`.
    fn means(root: &Path, here: &str, text: &str) -> Option<String> {
        let (test_root, here) = (root.join("test"), root.join(here));
        let places = Places { root, test_root: &test_root, here: Some(&here), dialect: &NEWEST };
        let selector = places.selector(text)?;
        assert_eq!(selector.text, text, "messages name what was typed");
        Some(match selector.pattern {
            Pattern::All => format!("{}: all", selector.suite),
            Pattern::Exact(name) => format!("{}: {name}", selector.suite),
            Pattern::Below(dir) => format!("{}: {dir}/", selector.suite),
            Pattern::Glob(_) => format!("{}: glob", selector.suite),
        })
    }

    const FILES: [&str; 11] = [
        "test/mjsunit/array-sort.js",
        "test/mjsunit/es6/module.mjs",
        "test/mjsunit/both.js",
        "test/mjsunit/both/inner.js",
        "test/mjsunit/notes.txt",
        "test/test262/data/test/built-ins/Array/from.js",
        "test/test262/local-tests/test/mine.js",
        "test/wasm-js/tests/wpt/a.any.js",
        "test/fuzzer/json/a.x",
        "test/other/x.js",
        "src/x.js",
    ];

    #[test]
    fn a_tests_file_is_the_test_from_wherever_it_is_seen() {
        let root = tree(&FILES);
        let absolute = root.path().join("test/mjsunit/array-sort.js");
        for (here, text) in [
            ("", "test/mjsunit/array-sort.js"),
            ("src", "test/mjsunit/array-sort.js"),
            ("", "./test/mjsunit/array-sort.js"),
            ("", "mjsunit/array-sort.js"),
            ("test", "mjsunit/array-sort.js"),
            ("test/mjsunit", "array-sort.js"),
            ("test/mjsunit", "array-sort"),
            ("test/mjsunit/es6", "../array-sort.js"),
            ("test/mjsunit/es6", "../../../test/mjsunit/array-sort.js"),
            ("", "test/mjsunit/array-sort"),
            ("src", absolute.to_str().unwrap()),
        ] {
            assert_eq!(
                means(root.path(), here, text).as_deref(),
                Some("mjsunit: array-sort"),
                "{here}: {text}"
            );
        }
        let is = |text: &str, expected: &str| {
            assert_eq!(means(root.path(), "", text).as_deref(), Some(expected), "{text}");
        };
        is("test/mjsunit/es6/module.mjs", "mjsunit: es6/module");
        is("test/test262/data/test/built-ins/Array/from.js", "test262: built-ins/Array/from");
        is("test/test262/local-tests/test/mine.js", "test262: mine");
        is("test/wasm-js/tests/wpt/a.any.js", "wasm-js: wpt/a");
        is("test/fuzzer/json/a.x", "fuzzer: json/a.x");
    }

    #[test]
    fn a_directory_is_all_below_it() {
        let root = tree(&FILES);
        let is = |here: &str, text: &str, expected: &str| {
            assert_eq!(means(root.path(), here, text).as_deref(), Some(expected), "{here}: {text}");
        };
        is("", "test/mjsunit", "mjsunit: all");
        is("test", "mjsunit/", "mjsunit: all");
        is("test/mjsunit", ".", "mjsunit: all");
        is("", "test/mjsunit/es6/", "mjsunit: es6/");
        is("", "mjsunit/es6", "mjsunit: es6/");
        is("test/mjsunit", "es6", "mjsunit: es6/");
        is("", "mjsunit/both", "mjsunit: both");
        is("", "mjsunit/both/", "mjsunit: both/");
        is("", "test/test262/data", "test262: all");
        is("", "test/test262/data/test", "test262: all");
        is("", "test/test262/data/test/built-ins", "test262: built-ins/");
        is("", "test/fuzzer/json", "fuzzer: json/");
        is("", "test/mjsunit/es6/*", "mjsunit: glob");
        is("test/mjsunit", "es6/mod*", "mjsunit: glob");
        is("test/mjsunit/es6", "mod*", "mjsunit: glob");
    }

    #[test]
    fn what_is_no_path_of_a_test_is_none() {
        let root = tree(&FILES);
        for (here, text) in [
            ("", "mjsunit/missing"),
            ("", "mjsunit/array-*"),
            ("", "test"),
            ("", "src/x.js"),
            ("src", "x.js"),
            ("", "test/mjsunit/notes.txt"),
            ("", "test/other/x.js"),
            ("", "/"),
            ("", ".."),
            ("", "default"),
        ] {
            assert_eq!(means(root.path(), here, text), None, "{here}: {text}");
        }
    }

    #[test]
    fn suites_of_ones_own_have_paths_too() {
        let root = tree(&["test/mine/cases/a.js", "test/mine/cases/d/b.js", "test/keep/a.js"]);
        let toml = "kind = 'files'\nfiles = '*.js'\ncommand = ['{shell}', '{file}']\n";
        fs::write(root.path().join("test/mine/suite.toml"), format!("{toml}dir = 'cases'\n")).unwrap();
        fs::write(root.path().join("test/keep/suite.toml"), format!("{toml}keep-extensions = true\n"))
            .unwrap();
        let is = |here: &str, text: &str, expected: &str| {
            assert_eq!(means(root.path(), here, text).as_deref(), Some(expected), "{here}: {text}");
        };
        is("", "test/mine/cases/a.js", "mine: a");
        is("test/mine/cases", "d", "mine: d/");
        is("test/mine", "cases", "mine: all");
        is("", "test/mine", "mine: all");
        is("", "test/keep/a.js", "keep: a.js");
    }
}
