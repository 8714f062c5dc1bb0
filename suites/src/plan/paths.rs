//! Tests named by the paths of their files, as a shell completes them: `test/mjsunit/array-sort.js`, an absolute path, or
//! one seen from the current directory. A directory stands for all that is below it.

use std::path::{Path, PathBuf};

use flotilla_messages::case::normalize;

use crate::files::select::Selector;
use crate::kind::Loader;
use crate::kind::opening::Typed;

/// Where paths can be seen from, and what they can mean.
pub struct Places<'a> {
    /// The tree's root.
    pub root: &'a Path,
    /// The directory of its suites.
    pub test_root: &'a Path,
    /// The current directory, if paths are seen from one.
    pub here: Option<&'a Path>,
    /// The kinds of its suites.
    pub kinds: &'a [Box<dyn Loader>],
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
        let kind = self.kinds.iter().find(|kind| kind.recognizes(&dir, suite))?;
        let pattern = kind.pattern(&dir, suite, Typed { path, inside: rest, is_dir })?;
        Some(Selector { text: inside.to_owned(), suite: suite.to_owned(), pattern, from_group: false })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::*;
    use crate::files::select::Pattern;
    use crate::kit::for_tests::tree;
    use crate::kit::options::Options;
    use crate::plan::kinds::kinds;
    use crate::v8::facts::{Ground, RunFacts};

    /// What a path typed in `here` means, as `suite: pattern`.
    fn means(root: &Path, here: &str, text: &str) -> Option<String> {
        let (test_root, here) = (root.join("test"), root.join(here));
        let options = Options { root: root.to_owned(), ..Options::default() };
        let ground = Ground::read(&options).unwrap();
        let run = Arc::new(RunFacts::new(options, ground).unwrap());
        let places = Places { root, test_root: &test_root, here: Some(&here), kinds: &kinds(&run) };
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
