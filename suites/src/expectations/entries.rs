//! Entries of expectations files: test names and patterns with what is expected, found quickly by a test's name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::file::StatusFile;
use super::outcomes::Outcomes;
use crate::syntax::text::glob::Glob;

/// Which of a test262 test's two modes an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// As it stands: what test262's runners call `default`.
    Sloppy,
    /// In strict mode.
    Strict,
}

/// What a file says of some tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A test, a pattern or a directory, as written.
    pub text: String,
    /// The condition under which it holds, as written; empty if it always does.
    pub condition: String,
    /// The line it stands in, from 1.
    pub line: usize,
    /// What it says.
    pub outcomes: Outcomes,
    /// Flags for the tests.
    pub flags: Vec<String>,
    /// Why, in the words of who wrote it.
    pub reason: Option<String>,
    /// The only variant it is about, among the selected ones.
    pub variant: Option<usize>,
    /// The only mode it is about.
    pub half: Option<Half>,
}

impl Entry {
    /// An entry of no more than a name and words.
    pub fn new(text: impl Into<String>, line: usize, outcomes: Outcomes) -> Self {
        Self {
            text: text.into(),
            condition: String::new(),
            line,
            outcomes,
            flags: Vec::new(),
            reason: None,
            variant: None,
            half: None,
        }
    }

    /// Whether it says something of a test's variant and mode. Nothing is known of them before there are variants.
    fn concerns(&self, part: Option<(usize, bool)>) -> bool {
        match part {
            None => self.is_general(),
            Some((variant, strict)) => {
                let half = if strict { Half::Strict } else { Half::Sloppy };
                self.variant.is_none_or(|own| own == variant) && self.half.is_none_or(|own| own == half)
            }
        }
    }

    /// Whether it is about all variants and modes.
    fn is_general(&self) -> bool {
        self.variant.is_none() && self.half.is_none()
    }
}

/// How names in a file are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// As names within this suite: the file is its own.
    Within(String),
    /// As names that begin with the suite, in the several ways in which people write them.
    Across,
}

/// An expectations file as it holds in one run.
#[derive(Clone, Debug)]
pub struct EntryFile {
    /// The file.
    pub path: PathBuf,
    /// How its names are to be read.
    pub naming: Naming,
    /// Whether a star means any text only at a name's end, and nothing else is special, as in V8's own files.
    pub literal: bool,
    /// What it says.
    pub entries: Vec<Entry>,
    /// What a person should know of it, each with its place.
    pub warnings: Vec<String>,
}

impl EntryFile {
    /// A file without entries yet.
    pub fn new(path: &Path, naming: Naming) -> Self {
        Self { path: path.into(), naming, literal: false, entries: Vec::new(), warnings: Vec::new() }
    }

    /// The same as a status file says.
    pub fn of_status(status: &StatusFile, naming: Naming) -> Self {
        let mut file = Self::new(status.path(), naming);
        file.literal = true;
        file.warnings = status.warnings().to_vec();
        let weighty =
            Outcomes::FAIL | Outcomes::FAIL_OK | Outcomes::CRASH | Outcomes::SKIP | Outcomes::TIMEOUT;
        for (text, rule, variant) in status.rules() {
            let sources = || rule.sources.iter().filter_map(|source| status.sources().get(*source));
            // Of several places that say something under one name, the one that people will look for.
            let Some(source) =
                sources().find(|source| source.outcomes.has(weighty)).or_else(|| sources().next())
            else {
                continue;
            };
            file.entries.push(Entry {
                condition: source.condition.clone(),
                flags: rule.flags.clone(),
                variant,
                ..Entry::new(text, source.line, rule.outcomes)
            });
        }
        file
    }

    /// Its entries, ready to be looked up by the names of one suite's tests.
    pub fn index(&self, suite: &str) -> Index {
        let mut index = Index::default();
        for (i, entry) in self.entries.iter().enumerate() {
            let Some(name) = self.within(suite, &entry.text) else { continue };
            index.add(i, name, self.literal);
            // People write files where we have names.
            if self.naming == Naming::Across
                && let Some(bare) = [".js", ".mjs"].iter().find_map(|extension| name.strip_suffix(extension))
            {
                index.add(i, bare, self.literal);
            }
        }
        index
    }

    /// An entry's name within a suite, if it can be about it.
    pub fn within<'a>(&self, suite: &str, text: &'a str) -> Option<&'a str> {
        match &self.naming {
            Naming::Within(own) => (own == suite).then_some(text),
            Naming::Across => within(suite, text),
        }
    }
}

/// The suite whose names people write without the suite: as paths in its own repository.
const TEST262: &str = "test262";
/// The directories of its tests.
const TEST262_DIRS: [&str; 8] = [
    "annexB",
    "built-ins",
    "harness",
    "implementation-contributed",
    "intl402",
    "language",
    "sendable",
    "staging",
];

/// A name within a suite: `SUITE/NAME`, or `test/SUITE/NAME` as a shell completes it in a V8 tree. Of test262's also the
/// ways in which others name its files: `test262/test/NAME`, `test/NAME` and `NAME`. The suite alone is all of it.
fn within<'a>(suite: &str, text: &'a str) -> Option<&'a str> {
    let text = text.strip_prefix("./").unwrap_or(text);
    let below = |text: &'a str| match text.strip_prefix(suite)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    };
    let in_test262 = |rest: &&str| TEST262_DIRS.contains(&rest.split('/').next().unwrap_or_default());
    if let Some(rest) = below(text) {
        let deeper = rest.strip_prefix("test/").filter(in_test262).filter(|_| suite == TEST262);
        return Some(deeper.unwrap_or(rest));
    }
    let under_test = text.strip_prefix("test/");
    if let Some(rest) = under_test.and_then(below) {
        return Some(rest);
    }
    (suite == TEST262).then(|| under_test.unwrap_or(text)).filter(in_test262)
}

/// Entries by the names of one suite's tests.
#[derive(Clone, Debug, Default)]
pub struct Index {
    exact: HashMap<String, Vec<usize>>,
    prefixes: Vec<(String, usize)>,
    globs: Vec<(Glob, String, usize)>,
}

/// A pattern in which `**/` is read as it is usually meant: as no directory at all, too. A pattern with more of them than
/// anybody writes is left as it is.
fn spellings(name: &str) -> Vec<String> {
    const DEEP: &str = "**/";
    const MOST: usize = 4;
    let parts: Vec<&str> = name.split(DEEP).collect();
    let deep = parts.len() - 1;
    if deep == 0 || deep > MOST {
        return vec![name.into()];
    }
    let spelling = |left_out: usize| {
        let mut text = String::with_capacity(name.len());
        for (i, part) in parts.iter().enumerate() {
            if i > 0 && left_out >> (i - 1) & 1 == 0 {
                text.push_str(DEEP);
            }
            text.push_str(part);
        }
        text
    };
    (0..1 << deep).map(spelling).collect()
}

impl Index {
    fn add(&mut self, entry: usize, name: &str, literal: bool) {
        if literal {
            self.add_one(entry, name, literal);
        } else {
            spellings(name).iter().for_each(|name| self.add_one(entry, name, literal));
        }
    }

    fn add_one(&mut self, entry: usize, name: &str, literal: bool) {
        // A directory is all that is below it; the suite alone is all of it.
        let is_directory = name.is_empty() || !literal && name.ends_with('/');
        let below = if is_directory { format!("{name}*") } else { String::new() };
        let name = if is_directory { below.as_str() } else { name };
        let is_plain = |start: &str| literal || !start.contains(['*', '?', '[']);
        let start = name.strip_suffix('*').filter(|start| is_plain(start));
        if let Some(start) = start {
            self.prefixes.push((start.into(), entry));
        } else if !literal && name.contains('*') {
            // As on the command line: without a star nothing is special.
            let glob = Glob::new(name);
            self.globs.push((glob.clone(), glob.literal_prefix(), entry));
        } else {
            self.exact.entry(name.into()).or_default().push(entry);
        }
    }

    /// The entries that a name matches: whole names first, otherwise in the file's order. One may come twice, as it is
    /// spelled in several ways.
    fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let exact = self.exact.get(name).into_iter().flatten().copied();
        let prefixes = self.prefixes.iter().filter(|(prefix, _)| name.starts_with(prefix)).map(|(_, i)| *i);
        let globs = self
            .globs
            .iter()
            .filter(|(glob, start, _)| name.starts_with(start) && glob.matches(name))
            .map(|(.., i)| *i);
        exact.chain(prefixes).chain(globs)
    }

    /// Marks the entries that match any of these names, which are in byte order.
    fn mark(&self, names: &[String], used: &mut [bool]) {
        let mut set = |i: usize| {
            if let Some(used) = used.get_mut(i) {
                *used = true;
            }
        };
        let at = |text: &str| names.partition_point(|name| name.as_str() < text);
        let any = |start: &str, fits: &dyn Fn(&str) -> bool| {
            names[at(start)..].iter().take_while(|name| name.starts_with(start)).any(|name| fits(name))
        };
        for (name, entries) in &self.exact {
            if names.binary_search(name).is_ok() {
                entries.iter().for_each(|i| set(*i));
            }
        }
        for (prefix, i) in &self.prefixes {
            if any(prefix, &|_| true) {
                set(*i);
            }
        }
        for (glob, start, i) in &self.globs {
            if any(start, &|name| glob.matches(name)) {
                set(*i);
            }
        }
    }
}

/// A file as one suite sees it.
#[derive(Clone, Debug)]
pub struct Layer {
    file: std::sync::Arc<EntryFile>,
    index: Index,
}

impl Layer {
    /// What a file says of a suite.
    pub fn new(file: &std::sync::Arc<EntryFile>, suite: &str) -> Self {
        Self { index: file.index(suite), file: std::sync::Arc::clone(file) }
    }

    /// The file.
    pub fn file(&self) -> &std::sync::Arc<EntryFile> {
        &self.file
    }

    /// The entries about a test: about a variant (its number among the selected ones) and a mode (whether it is the strict
    /// one) of it, or about all of them.
    pub fn matching<'a>(
        &'a self,
        test: &'a str,
        part: Option<(usize, bool)>,
    ) -> impl Iterator<Item = &'a Entry> + 'a {
        let entries = self.index.find(test).filter_map(|i| self.file.entries.get(i));
        entries.filter(move |entry| entry.concerns(part))
    }

    /// Whether anything is said of some variant or mode of a test alone.
    pub fn is_specific(&self, test: &str) -> bool {
        self.index.find(test).filter_map(|i| self.file.entries.get(i)).any(|entry| !entry.is_general())
    }

    /// Marks the entries that match any of a suite's names, which are in byte order.
    pub fn mark_used(&self, names: &[String], used: &mut [bool]) {
        self.index.mark(names, used);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn layer(suite: &str, texts: &[&str]) -> Layer {
        let mut file = EntryFile::new(Path::new("f"), Naming::Across);
        file.entries = texts.iter().map(|text| Entry::new(*text, 1, Outcomes::FAIL)).collect();
        Layer::new(&Arc::new(file), suite)
    }

    fn found<'a>(layer: &'a Layer, test: &'a str) -> Vec<&'a str> {
        layer.matching(test, None).map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn names_are_written_in_many_ways() {
        for text in [
            "test262/built-ins/a",
            "test262/built-ins/a.js",
            "test262/test/built-ins/a.js",
            "test/built-ins/a.js",
            "test/test262/built-ins/a.js",
            "./built-ins/a.js",
            "built-ins/a",
            "built-ins/*",
            "test262/built-ins/",
            "test/*/a.js",
            "test262",
        ] {
            let expected: &[&str] = if text == "test/*/a.js" { &[] } else { &[text] };
            assert_eq!(found(&layer("test262", &[text]), "built-ins/a"), expected, "{text}");
        }
        assert!(found(&layer("mjsunit", &["built-ins/a", "test/built-ins/a"]), "built-ins/a").is_empty());
        assert_eq!(found(&layer("mjsunit", &["test/mjsunit/a.js", "mjsunit/a"]), "a").len(), 2);
        assert!(found(&layer("mjsunit", &["mjsunit2/a", "mjsunit2"]), "a").is_empty());
    }

    #[test]
    fn stars_are_any_text_and_directories_all_below() {
        let layer = layer("s", &["s/d/*", "s/d/", "s/*/x", "s/d/x", "s/d", "s/d?x"]);
        assert_eq!(found(&layer, "d/x"), ["s/d/x", "s/d/*", "s/d/", "s/*/x"]);
        assert_eq!(found(&layer, "d?x"), ["s/d?x"]);
    }

    #[test]
    fn two_stars_and_a_slash_are_any_number_of_directories() {
        let layer = layer("test262", &["built-ins/R/**/*.js", "**/x", "test/language/**/a/**/b"]);
        for (name, matches) in [
            ("built-ins/R/a", true),
            ("built-ins/R/d/e/a", true),
            ("built-ins/a", false),
            ("language/a/b", true),
            ("language/c/a/d/b", true),
            ("language/ab", false),
        ] {
            assert_eq!(!found(&layer, name).is_empty(), matches, "{name}");
        }
        assert_eq!(spellings(&"**/".repeat(9)).len(), 1);
    }

    #[test]
    fn what_is_used_is_marked() {
        let layer = layer("s", &["s/a", "s/b", "s/d/*", "s/e/*", "s/*/x", "s/*/y"]);
        let mut used = [false; 6];
        layer.mark_used(&["a".into(), "d/x".into(), "f".into()], &mut used);
        assert_eq!(used, [true, false, true, false, true, false]);
    }

    #[test]
    fn entries_may_be_about_a_part_of_a_test() {
        let mut file = EntryFile::new(Path::new("f"), Naming::Within("s".into()));
        let general = Entry::new("a", 1, Outcomes::FAIL);
        file.entries = vec![
            Entry { half: Some(Half::Strict), ..general.clone() },
            Entry { variant: Some(1), ..general.clone() },
        ];
        let layer = Layer::new(&Arc::new(file), "s");
        let count = |part| layer.matching("a", part).count();
        assert_eq!((count(None), count(Some((0, false)))), (0, 0));
        assert_eq!((count(Some((0, true))), count(Some((1, true)))), (1, 2));
        assert!(layer.is_specific("a"));
    }

    proptest! {
        #[test]
        fn what_an_index_finds_is_what_its_patterns_match(
            patterns in prop::collection::vec("[ab*/?]{1,6}", 1..6),
            names in prop::collection::btree_set("[ab/?]{1,5}", 0..8),
        ) {
            let texts: Vec<String> = patterns.iter().map(|pattern| format!("s/{pattern}")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let layer = layer("s", &texts);
            let names: Vec<String> = names.into_iter().collect();
            let mut used = vec![false; patterns.len()];
            layer.mark_used(&names, &mut used);
            for (i, pattern) in patterns.iter().enumerate() {
                let is_pattern = pattern.contains('*');
                let plainly = |name: &str| {
                    name == pattern
                        || pattern.ends_with('/') && Glob::new(&format!("{pattern}*")).matches(name)
                        || is_pattern && Glob::new(pattern).matches(name)
                };
                let finds = |name: &&String| {
                    layer.index.find(name).any(|found| found == i)
                };
                for name in &names {
                    prop_assert!(finds(&name) || !plainly(name), "{} should match {}", pattern, name);
                    let deep = pattern.contains("**/") || pattern.ends_with('/');
                    prop_assert!(deep || !finds(&name) || plainly(name), "{} should not match {}", pattern, name);
                }
                prop_assert_eq!(used[i], names.iter().any(|name| finds(&name)), "{}", pattern);
            }
        }
    }
}
