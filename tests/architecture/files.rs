//! Which files of a crate import which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::reading::{code, sources};

/// A module by its path below the crate's root: `["judge", "lines"]`.
type Module = Vec<String>;

/// A crate's files.
struct Files {
    texts: BTreeMap<Module, String>,
    /// Modules that are a `mod.rs` or the root: they bring names together, and import nothing for their own sake.
    roots: BTreeSet<Module>,
    /// What these bring together: a name, and the path it has there.
    names: BTreeMap<(Module, String), Vec<String>>,
}

/// Which files below a crate's root import which, by module. Names that a `mod.rs` passes on count for the file they come
/// from; files of tests are left out.
pub fn arrows(root: &Path, is_of_tests: impl Fn(&Path) -> bool) -> BTreeSet<(String, String)> {
    let files = Files::read(root, is_of_tests);
    let mut found = BTreeSet::new();
    for (module, text) in files.texts.iter().filter(|(module, _)| !files.roots.contains(*module)) {
        for path in paths(text) {
            let to = files.resolve(module, &path, 0);
            if let Some(to) = to.filter(|to| to != module && !files.roots.contains(to)) {
                found.insert((module.join("::"), to.join("::")));
            }
        }
    }
    found
}

impl Files {
    fn read(root: &Path, is_of_tests: impl Fn(&Path) -> bool) -> Self {
        let mut files = Self { texts: BTreeMap::new(), roots: BTreeSet::new(), names: BTreeMap::new() };
        for file in sources(root).into_iter().filter(|file| !is_of_tests(file)) {
            let path = file.strip_prefix(root).unwrap().with_extension("");
            let mut module: Module = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if module.last().is_some_and(|last| ["mod", "lib"].contains(&last.as_str())) {
                module.pop();
                files.roots.insert(module.clone());
            }
            // `NAME.rs` beside a folder `NAME` is what a `mod.rs` in there would be.
            if file.with_extension("").is_dir() {
                files.roots.insert(module.clone());
            }
            let text = fs::read_to_string(&file).unwrap();
            let text = code(text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default());
            if files.roots.contains(&module) {
                for path in paths(&text) {
                    if let Some(name) = path.last() {
                        files.names.insert((module.clone(), name.clone()), path.clone());
                    }
                }
            }
            files.texts.insert(module, text);
        }
        files
    }

    /// The file that a path means, as `from` has it.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut here = from.clone();
        let mut rest = path.iter();
        let mut next = rest.next();
        match next.map(String::as_str) {
            Some("crate") => {
                here.clear();
                next = rest.next();
            }
            Some("self") => next = rest.next(),
            _ => {}
        }
        while next.is_some_and(|part| part == "super") {
            here.pop();
            next = rest.next();
        }
        while let Some(part) = next {
            let mut below = here.clone();
            below.push(part.clone());
            if !self.texts.contains_key(&below) {
                break;
            }
            here = below;
            next = rest.next();
        }
        let passed_on = next.and_then(|name| self.names.get(&(here.clone(), name.clone())));
        match passed_on.filter(|_| depth < 5) {
            Some(path) => self.resolve(&here, path, depth + 1),
            None => self.texts.contains_key(&here).then_some(here),
        }
    }
}

/// The paths that a text names and that begin in its crate, with those of lists one by one.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for statement in text.split(';') {
        if let Some((_, tree)) = statement.rsplit_once("use ").filter(|(before, _)| is_start(before)) {
            expand(&[], tree, &mut found);
        }
    }
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let path: String =
                text[at..].chars().take_while(|c| c.is_alphanumeric() || ['_', ':'].contains(c)).collect();
            found.push(path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
        }
    }
    found
}

/// Whether a `use` behind this is a statement's.
fn is_start(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '}').next().unwrap_or_default();
    let line = before.lines().last().unwrap_or_default();
    word.is_empty() && (line.trim().is_empty() || line.trim_start().starts_with("pub"))
}

/// `a::{b, c::{d, e as f}}` as its paths.
fn expand(before: &[String], tree: &str, found: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let (path, list) = match tree.split_once('{') {
        Some((path, list)) => (path, Some(list.trim_end().strip_suffix('}').unwrap_or(list))),
        None => (tree, None),
    };
    let name = |part: &str| part.split_whitespace().next().unwrap_or_default().to_owned();
    let own = path.split("::").map(name).filter(|part| !part.is_empty());
    let path: Vec<String> = before.iter().cloned().chain(own).collect();
    let Some(list) = list else {
        found.push(path);
        return;
    };
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in list.char_indices().chain([(list.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if !list[start..at].trim().is_empty() {
                    expand(&path, &list[start..at], found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

#[test]
fn paths_are_read_with_those_of_lists() {
    let text = "use std::io;\npub(crate) use crate::a::{b::C, d::{self, E as F}};\nlet x = super::g::h(1);\n";
    let found: BTreeSet<String> = paths(text).into_iter().map(|path| path.join("::")).collect();
    for path in ["std::io", "crate::a::b::C", "crate::a::d::self", "crate::a::d::E", "super::g::h"] {
        assert!(found.contains(path), "{path}: {found:?}");
    }
}
