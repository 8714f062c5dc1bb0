//! The plan of the code: which parts may know which. The table is the rule; a new arrow fails here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use reading::{arrows, functions, imports, module, sources, types};

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

/// The arrows that are part of a circle: those whose end leads back to their start.
fn circle<V: Clone>(arrows: &BTreeMap<(String, String), V>) -> BTreeMap<(String, String), V> {
    let leads_back = |from: &String, to: &String| {
        let mut seen = BTreeSet::from([to]);
        let mut next = vec![to];
        while let Some(here) = next.pop() {
            let beyond = arrows.keys().filter(|(start, _)| start == here).map(|(_, end)| end);
            next.extend(beyond.filter(|end| seen.insert(end)));
        }
        seen.contains(from)
    };
    let back = arrows.iter().filter(|((from, to), _)| leads_back(from, to));
    back.map(|(arrow, value)| (arrow.clone(), value.clone())).collect()
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

/// Names that a type may share with another one of its crate: each is the one of its module.
const SHARED: [&str; 5] = ["Core", "Effect", "Error", "Input", "Settings"];

/// Whether a file holds tests, or what tests are played with.
fn is_of_tests(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let in_tests = file.components().any(|part| part.as_os_str() == "tests");
    in_tests || name.contains("tests") || ["simulation", "efficiency", "fake"].contains(&name)
}

#[test]
fn a_types_name_stands_for_one_thing_in_its_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut twice = Vec::new();
    for dir in ["messages/src", "suites/src", "actors/src", "bin"] {
        let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
        for file in sources(&root.join(dir)).into_iter().filter(|file| !is_of_tests(file)) {
            for name in types(&fs::read_to_string(&file).unwrap()) {
                if SHARED.contains(&name.as_str()) {
                    continue;
                }
                // One type for each system.
                let other = known.insert(name.clone(), file.clone()).filter(|other| *other != file);
                if let Some(other) = other.filter(|_| !file.ends_with("orphans/none.rs")) {
                    twice.push(format!("{name}: {} and {}", other.display(), file.display()));
                }
            }
        }
        assert!(known.len() > 50, "the types of {dir} are found at all: {}", known.len());
    }
    assert!(twice.is_empty(), "{twice:#?}");
}

/// The longest that a file and a function may be, in lines.
const LONGEST: (usize, usize) = (600, 100);

#[test]
fn files_and_functions_stay_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (of_file, of_function) = LONGEST;
    let mut longer = Vec::new();
    let mut seen = 0;
    for dir in ["messages", "suites", "actors", "bin", "tests", "fuzz/fuzz_targets"] {
        for file in sources(&root.join(dir)) {
            let text = fs::read_to_string(&file).unwrap();
            let lines = text.lines().count();
            if lines > of_file {
                longer.push(format!("{}: {lines} lines", file.display()));
            }
            let functions = functions(&text);
            seen += functions.len();
            let long = functions.into_iter().filter(|(_, lines)| *lines > of_function);
            longer.extend(long.map(|(name, lines)| format!("{}: {name}: {lines} lines", file.display())));
        }
    }
    assert!(seen > 3000, "the functions are found at all: {seen}");
    assert!(longer.is_empty(), "{longer:#?}");
}

#[test]
fn functions_and_types_are_read_from_code() {
    let text =
        "/// fn no()\npub(crate) async fn one<A>(\n    a: A,\n) {\n    if a {\n    }\n}\n\nfn two() {}\n";
    let found = functions(text);
    assert_eq!(found, [("one".to_owned(), 6), ("two".to_owned(), 1)]);
    let text = "pub struct A<B>(B);\n// struct C\n    enum D {\n#[cfg(test)]\nmod tests {\nstruct E;\n}\n";
    assert_eq!(types(text), ["A", "D"]);
}

/// Folders whose files are one state machine: the parent calls its parts, and these know the parent's fields.
const ONE_MACHINE: [(&str, &str); 1] = [("actors/src", "run::scheduler::")];

#[test]
fn files_do_not_import_one_another_in_circles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for dir in ["messages/src", "suites/src", "actors/src", "bin"] {
        let arrows = files::arrows(&root.join(dir), is_of_tests);
        assert!(arrows.len() > 50, "the arrows of {dir} are found at all: {}", arrows.len());
        let of_one_machine = |(from, to): &(String, String)| {
            ONE_MACHINE.iter().any(|(crate_dir, folder)| {
                *crate_dir == dir && from.starts_with(folder) && to.starts_with(folder)
            })
        };
        let arrows = arrows.into_iter().filter(|arrow| !of_one_machine(arrow)).map(|arrow| (arrow, ()));
        let circle = circle(&arrows.collect());
        assert!(circle.is_empty(), "{dir}: {:#?}", circle.keys());
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
