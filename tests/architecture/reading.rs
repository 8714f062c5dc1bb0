//! Reads from the code what the rules are about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The Rust files below a directory.
pub fn sources(dir: &Path) -> Vec<PathBuf> {
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
pub fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The module of a crate's top level that a file belongs to; none for the crate's root.
pub fn module(source: &Path, root: &Path) -> Option<String> {
    let first = source.strip_prefix(root).unwrap().components().next().unwrap();
    let name = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
    (!["lib", "main"].contains(&name.as_str())).then_some(name)
}

/// The modules that a text imports by paths that begin with `prefix`: `crate::NAME` and `crate::{NAME, ...}`.
pub fn imports(text: &str, prefix: &str) -> BTreeSet<String> {
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
pub fn arrows(root: &Path, prefix: &str) -> BTreeMap<(String, String), PathBuf> {
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

/// The types that a file declares at the level of modules and functions, but for those in its module `tests`.
pub fn types(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    for line in code(text).lines() {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_some_and(|word| word.starts_with("pub")) {
            words.next();
        }
        let (Some("struct" | "enum" | "trait" | "union"), Some(rest)) = (words.next(), words.next()) else {
            continue;
        };
        found.push(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
    }
    found
}

/// The functions of a text as rustfmt lays it out, with their lines.
pub fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let start = line.trim_start();
        let mut words = start.split_whitespace().skip_while(|word| {
            word.starts_with("pub") || ["const", "async", "unsafe", "extern", "default"].contains(word)
        });
        let (Some("fn"), Some(name)) = (words.next(), words.next()) else { continue };
        let end = format!("{}}}", &line[..line.len() - start.len()]);
        let rest = lines[at..].iter();
        // A function of one line, or a declaration, ends before the next line that only closes.
        let height = rest.clone().position(|line| **line == *end).unwrap_or(0) + 1;
        let one_line = start.ends_with('}') || start.ends_with(';');
        let name = name.split(['(', '<']).next().unwrap_or_default();
        found.push((name.to_owned(), if one_line { 1 } else { height }));
    }
    found
}
