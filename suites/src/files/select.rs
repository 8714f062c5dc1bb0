//! Which tests of a suite were asked for.

use std::collections::HashMap;

use crate::syntax::text::glob::Glob;
use flotilla_messages::nearest::nearest;

/// What was typed to select tests, after groups were resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// As typed.
    pub text: String,
    /// The suite.
    pub suite: String,
    /// What selects tests of it by name (V8's `NameFilterProc`).
    pub pattern: Pattern,
    /// Whether a group brought it, rather than a person.
    pub from_group: bool,
}

/// What selects tests of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Nothing but the suite was named, or `*`.
    All,
    /// A whole name. `?` and `[` are special only beside a `*`.
    Exact(String),
    /// All in this directory and below it.
    Below(String),
    /// A pattern.
    Glob(Glob),
}

impl Pattern {
    /// What the path of a file or of a directory means, as seen from the directory of the tests.
    pub fn of_path(path: &str, is_dir: bool) -> Self {
        match (path, is_dir) {
            ("", _) => Self::All,
            (path, true) => Self::Below(path.to_owned()),
            (path, false) => Self::Exact(path.to_owned()),
        }
    }
}

impl Selector {
    /// Reads `suite`, `suite/name` or `suite/pattern`.
    pub fn new(text: &str, from_group: bool) -> Self {
        let (suite, path) = text.split_once('/').unwrap_or((text, ""));
        let pattern = match path {
            "" | "*" => Pattern::All,
            path if path.contains('*') => Pattern::Glob(Glob::new(path)),
            path => Pattern::Exact(path.into()),
        };
        Self { text: text.into(), suite: suite.into(), pattern, from_group }
    }

    /// The one test with this whole name, if it is there.
    pub fn exact(name: &str) -> Self {
        let (suite, test) = name.split_once('/').unwrap_or((name, ""));
        Self {
            text: name.into(),
            suite: suite.into(),
            pattern: Pattern::Exact(test.into()),
            from_group: true,
        }
    }
}

/// The selectors of one suite, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct NameFilter {
    /// Indices of selectors that take all.
    all: Vec<usize>,
    exact: HashMap<String, Vec<usize>>,
    /// Directories with a slash behind.
    below: Vec<(String, usize)>,
    globs: Vec<(Glob, String, usize)>,
}

impl NameFilter {
    /// A filter of these selectors, given with their indices.
    pub fn new<'a>(selectors: impl Iterator<Item = (usize, &'a Selector)>) -> Self {
        let mut filter = Self::default();
        for (i, selector) in selectors {
            match &selector.pattern {
                Pattern::All => filter.all.push(i),
                Pattern::Exact(name) => filter.exact.entry(name.clone()).or_default().push(i),
                Pattern::Below(dir) => filter.below.push((format!("{dir}/"), i)),
                Pattern::Glob(glob) => filter.globs.push((glob.clone(), glob.literal_prefix(), i)),
            }
        }
        filter
    }

    /// Whether every test is taken, whatever its name.
    pub fn takes_all(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether a test is taken; every selector that takes it is told to `matched`.
    pub fn takes(&self, name: &str, mut matched: impl FnMut(usize)) -> bool {
        let mut taken = false;
        let exact = self.exact.get(name).into_iter().flatten();
        let below = self.below.iter().filter(|(dir, _)| name.starts_with(dir.as_str())).map(|(_, i)| i);
        let globs = self.globs.iter().filter(|(glob, ..)| glob.matches(name)).map(|(.., i)| i);
        for i in self.all.iter().chain(exact).chain(below).chain(globs) {
            matched(*i);
            taken = true;
        }
        taken
    }

    /// Directories, `/` between components, that hold every test that can be taken; one of them may lie in another, and
    /// an empty one stands for all.
    pub fn directories(&self) -> impl Iterator<Item = &str> {
        let of_name = |name: &'_ str| name.rfind('/').unwrap_or(0);
        let exact = self.exact.keys().map(move |name| &name[..of_name(name)]);
        let globs = self.globs.iter().map(move |(_, start, _)| &start[..of_name(start)]);
        let below = self.below.iter().map(|(dir, _)| dir.trim_end_matches('/'));
        self.all.iter().map(|_| "").chain(exact).chain(below).chain(globs)
    }

    /// Whether tests whose names begin with `prefix` can be taken.
    pub fn may_take_below(&self, prefix: &str) -> bool {
        self.takes_all()
            || self.exact.keys().any(|name| name.starts_with(prefix))
            || self.below.iter().any(|(dir, _)| dir.starts_with(prefix) || prefix.starts_with(dir.as_str()))
            || self
                .globs
                .iter()
                .any(|(_, start, _)| start.starts_with(prefix) || prefix.starts_with(start.as_str()))
    }
}

/// A selector that matched no test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// As typed.
    pub selector: String,
    /// What may have been meant.
    pub nearest: Option<String>,
}

/// What may have been meant by a selector that matched none of these tests.
pub fn suggestion(selector: &Selector, names: &[&str]) -> Option<String> {
    let suite = &selector.suite;
    let Pattern::Exact(path) = &selector.pattern else { return None };
    let bare = [".js", ".mjs"].iter().find_map(|extension| path.strip_suffix(extension)).unwrap_or(path);
    if bare != path && names.contains(&bare) {
        return Some(format!("{suite}/{bare}"));
    }
    let directory = format!("{}/", path.trim_end_matches('/'));
    if names.iter().any(|name| name.starts_with(&directory)) {
        return Some(format!("{suite}/{directory}*"));
    }
    // Most often the directory is missing or another one.
    let last = bare.rsplit('/').next().unwrap_or(bare);
    let elsewhere = || names.iter().find(|name| name.rsplit('/').next() == Some(last));
    nearest(bare, names.iter().copied())
        .or_else(|| elsewhere().copied())
        .map(|name| format!("{suite}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(texts: &[&str]) -> NameFilter {
        let selectors: Vec<Selector> = texts.iter().map(|text| Selector::new(text, false)).collect();
        NameFilter::new(selectors.iter().enumerate())
    }

    fn taken_by(filter: &NameFilter, name: &str) -> Vec<usize> {
        let mut by = Vec::new();
        filter.takes(name, |i| by.push(i));
        by
    }

    #[test]
    fn names_patterns_and_suites_select() {
        let filter = filter(&["s/a/b", "s/fast/*", "s/x?y"]);
        assert_eq!(taken_by(&filter, "a/b"), [0]);
        assert_eq!(taken_by(&filter, "fast/js/a"), [1]);
        assert!(taken_by(&filter, "xzy").is_empty(), "without a star nothing is special");
        assert_eq!(taken_by(&filter, "x?y"), [2]);
        assert!(taken_by(&filter, "a").is_empty());
        for all in ["s", "s/", "s/*"] {
            assert_eq!(Selector::new(all, false).pattern, Pattern::All, "{all}");
        }
    }

    #[test]
    fn a_directory_takes_what_is_below_it() {
        let below = Selector { pattern: Pattern::Below("a/b".into()), ..Selector::new("s", false) };
        let filter = NameFilter::new([(0, &below)].into_iter());
        assert_eq!(taken_by(&filter, "a/b/c"), [0]);
        assert_eq!(taken_by(&filter, "a/b/c/d"), [0]);
        assert!(taken_by(&filter, "a/b").is_empty() && taken_by(&filter, "a/bc").is_empty());
        assert!(
            filter.may_take_below("a/") && filter.may_take_below("a/b/c/") && !filter.may_take_below("b/")
        );
        assert_eq!(filter.directories().collect::<Vec<_>>(), ["a/b"]);
    }

    #[test]
    fn every_selector_that_takes_a_test_is_told() {
        assert_eq!(taken_by(&filter(&["s", "s/a*", "s/a", "s/a"]), "a"), [0, 2, 3, 1]);
    }

    #[test]
    fn directories_without_candidates_need_no_visit() {
        let filter = filter(&["s/a/b/c", "s/fast/j*"]);
        for (prefix, may) in [
            ("a/", true),
            ("a/b/", true),
            ("b/", false),
            ("fast/", true),
            ("fast/js/", true),
            ("fast/x/", false),
        ] {
            assert_eq!(filter.may_take_below(prefix), may, "{prefix}");
        }
    }

    #[test]
    fn directories_hold_what_can_be_taken() {
        let dirs = |texts: &[&str]| {
            let mut dirs: Vec<String> = filter(texts).directories().map(String::from).collect();
            dirs.sort();
            dirs
        };
        assert_eq!(dirs(&["s/a/b/c", "s/fast/j*", "s/x/y/*"]), ["a/b", "fast", "x/y"]);
        assert_eq!(dirs(&["s"]), [""]);
        assert_eq!(dirs(&["s/*a"]), [""]);
    }

    #[test]
    fn suggestions_for_what_matched_nothing() {
        let names = ["foo", "dir/bar", "array-join", "dir/baz"];
        let suggest = |text: &str| suggestion(&Selector::new(text, false), &names);
        assert_eq!(suggest("mjsunit/foo.js").as_deref(), Some("mjsunit/foo"));
        assert_eq!(suggest("mjsunit/dir").as_deref(), Some("mjsunit/dir/*"));
        assert_eq!(suggest("mjsunit/dir/").as_deref(), Some("mjsunit/dir/*"));
        assert_eq!(suggest("mjsunit/aray-join").as_deref(), Some("mjsunit/array-join"));
        assert_eq!(suggest("mjsunit/some/where/baz").as_deref(), Some("mjsunit/dir/baz"));
        assert_eq!(suggest("mjsunit/entirely-else"), None);
        assert_eq!(suggest("mjsunit/q*"), None);
    }
}
