//! The plan of the code: which parts may know which. The table is the rule; a new arrow fails here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The wings of a crate, each with the wings it may import.
type Rule = &'static [(&'static str, &'static [&'static str])];

/// Of the crate `suites`.
const SUITES: Rule = &[
    ("syntax", &[]),
    ("kit", &["syntax"]),
    ("expectations", &["kit", "syntax"]),
    ("files", &["kit", "syntax"]),
    ("kind", &["expectations", "files", "kit"]),
    ("v8", &["expectations", "files", "kind", "kit", "syntax"]),
    ("test262", &["expectations", "files", "kind", "kit", "syntax", "v8"]),
    ("custom", &["expectations", "files", "kind", "kit", "syntax"]),
    ("plan", &["custom", "expectations", "files", "kind", "kit", "syntax", "test262", "v8"]),
];

/// Of the crate `actors`.
const ACTORS: Rule = &[
    ("kit", &[]),
    ("execution", &["kit"]),
    ("content", &["kit"]),
    ("history", &["kit"]),
    ("trust", &["kit"]),
    ("net", &["kit", "trust"]),
    ("run", &["kit", "execution", "content", "history", "trust", "net"]),
    ("daemon", &["kit", "execution", "content", "history", "trust", "net"]),
];

/// The Rust files below a directory.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code without comments, which may name what they like.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The module of a crate's top level that a file belongs to; none for the crate's root.
fn module(source: &Path, root: &Path) -> Option<String> {
    let first = source.strip_prefix(root).unwrap().components().next().unwrap();
    let name = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
    (!["lib", "main"].contains(&name.as_str())).then_some(name)
}

/// The modules that a text imports by paths that begin with `prefix`: `crate::NAME` and `crate::{NAME, ...}`.
fn imports(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, word) in text.match_indices(prefix) {
        if text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &text[at + word.len()..];
        let name = |text: &str| -> String {
            text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
        };
        match rest.strip_prefix('{') {
            None => found.extend([name(rest)]),
            // The names at the depth of this list.
            Some(list) => {
                let mut depth = 1;
                let mut start = true;
                for (at, letter) in list.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => start = true,
                        _ if letter.is_whitespace() => {}
                        _ if depth == 1 && start => {
                            found.insert(name(&list[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    found
}

/// The names that a crate's root brings in from its modules, with the module: `pub use MODULE::{NAME, ...};`.
fn reexports(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("lib.rs")).unwrap_or_default();
    let mut found = BTreeMap::new();
    for statement in code(&text).split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let Some((module, names)) = path.split_once("::") else { continue };
        let words = names.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        found.extend(words.filter(|word| !word.is_empty()).map(|word| (word.to_owned(), module.to_owned())));
    }
    found
}

/// Which modules right below a directory import which, with a file for each. Their paths begin with `prefix`.
fn arrows(root: &Path, prefix: &str) -> BTreeMap<(String, String), PathBuf> {
    let files = sources(root);
    let modules: BTreeSet<String> = files.iter().filter_map(|file| module(file, root)).collect();
    let reexports = if prefix == "crate::" { reexports(root) } else { BTreeMap::new() };
    let mut found = BTreeMap::new();
    for file in &files {
        let Some(from) = module(file, root) else { continue };
        for name in imports(&code(&fs::read_to_string(file).unwrap()), prefix) {
            let to = if modules.contains(&name) { Some(&name) } else { reexports.get(&name) };
            if let Some(to) = to.filter(|to| **to != from) {
                found.entry((from.clone(), to.clone())).or_insert_with(|| file.clone());
            }
        }
    }
    found
}

/// Modules that import one another in a circle, if any do: those that are left when all that import nothing else, and then
/// all that import only these, are taken away, from both ends.
fn circle(arrows: &BTreeMap<(String, String), PathBuf>) -> BTreeMap<(String, String), PathBuf> {
    let mut left = arrows.clone();
    loop {
        let from: BTreeSet<String> = left.keys().map(|(from, _)| from.clone()).collect();
        let to: BTreeSet<String> = left.keys().map(|(_, to)| to.clone()).collect();
        let before = left.len();
        left.retain(|(a, b), _| from.contains(b) && to.contains(a));
        if left.len() == before {
            return left;
        }
    }
}

#[test]
fn wings_import_only_what_the_table_allows() {
    for (dir, wings) in [("suites/src", SUITES), ("actors/src", ACTORS)] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        let known: BTreeMap<&str, &[&str]> = wings.iter().copied().collect();
        for file in sources(&root) {
            if let Some(wing) = module(&file, &root) {
                assert!(known.contains_key(wing.as_str()), "{} is in no wing of the table", file.display());
            }
        }
        let arrows = arrows(&root, "crate::");
        assert!(arrows.len() > 10, "the arrows are found at all: {arrows:?}");
        for ((from, to), file) in arrows {
            let allowed = known[from.as_str()].contains(&to.as_str());
            assert!(allowed, "{from} must not import {to}: {}", file.display());
        }
    }
}

#[test]
fn modules_do_not_import_one_another_in_circles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (dir, prefix) in [
        ("messages/src", "crate::"),
        ("suites/src", "crate::"),
        ("actors/src", "crate::"),
        ("bin", "crate::"),
        ("bin/runner", "crate::runner::"),
        ("bin/peerd", "crate::peerd::"),
    ] {
        let arrows = arrows(&root.join(dir), prefix);
        assert!(arrows.len() > 2, "the arrows of {dir} are found at all: {arrows:?}");
        let circle = circle(&arrows);
        assert!(circle.is_empty(), "{dir}: {circle:#?}");
    }
}

#[test]
fn circles_are_found() {
    let arrow = |from: &str, to: &str| ((from.to_owned(), to.to_owned()), PathBuf::new());
    let tree = [arrow("a", "b"), arrow("b", "c"), arrow("a", "c")];
    assert!(circle(&tree.into_iter().collect()).is_empty());
    let round = [arrow("a", "b"), arrow("b", "c"), arrow("c", "b"), arrow("c", "d")];
    let found: Vec<_> =
        circle(&round.into_iter().collect()).into_keys().map(|(from, to)| from + &to).collect();
    assert_eq!(found, ["bc", "cb"]);
}

#[test]
fn imports_are_read_from_paths_and_lists() {
    let text = "use crate::a::B;\nuse crate::{c, d::{e, f}, g};\nlet x = crate::h();\nnotcrate::i();\n";
    let names: Vec<String> = imports(text, "crate::").into_iter().collect();
    assert_eq!(names, ["a", "c", "d", "g", "h"]);
}
