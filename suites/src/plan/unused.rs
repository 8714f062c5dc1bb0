//! What expectations say in vain (`--warn-unused`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::expectations::{EntryFile, StatusFile};
use crate::plan::suite::Suite;

/// A file of entries, with which of them match a test.
struct Used<'a> {
    file: &'a Arc<EntryFile>,
    used: Vec<bool>,
}

/// What the selected suites' status files and the expectations above them (`given`: those of the run) say in vain in this
/// run, each with its place: rules and entries that match no test on disk, and words that are no outcomes.
///
/// `directories`: all that may be suites.
pub fn unused_rules(
    suites: &[Suite],
    given: &[Arc<EntryFile>],
    directories: &BTreeSet<String>,
) -> Vec<String> {
    let mut unused = Vec::new();
    let mut files: Vec<Used<'_>> = given.iter().map(Used::new).collect();
    for suite in suites {
        let mut names = suite.all_names();
        names.sort_unstable();
        of_status(suite.status.own(), &names, &mut unused);
        for layer in suite.status.layers() {
            let at = files.iter().position(|used| Arc::ptr_eq(used.file, layer.file()));
            let at = at.unwrap_or_else(|| {
                files.push(Used::new(layer.file()));
                files.len() - 1
            });
            layer.mark_used(&names, &mut files[at].used);
        }
    }
    for Used { file, used } in files {
        unused.extend_from_slice(&file.warnings);
        // A suite that is there and was not asked for may well have the test.
        let is_elsewhere = |text: &str| {
            let about = |suite: &str| file.within(suite, text).is_some();
            !suites.iter().any(|suite| about(&suite.name)) && directories.iter().any(|suite| about(suite))
        };
        let mut seen = BTreeSet::new();
        for (entry, _) in file.entries.iter().zip(used).filter(|(_, used)| !*used) {
            // One that holds for several variants stands there once.
            if is_elsewhere(&entry.text) || !seen.insert((entry.line, &entry.text)) {
                continue;
            }
            unused.push(vain(file.path.display(), entry.line, &entry.text, &entry.condition));
        }
    }
    unused
}

impl<'a> Used<'a> {
    fn new(file: &'a Arc<EntryFile>) -> Self {
        Self { file, used: vec![false; file.entries.len()] }
    }
}

/// `test/s/s.status:3: 'a*' (ALWAYS) matches no test`
fn vain(file: impl std::fmt::Display, line: usize, text: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(" ({condition})") };
    format!("{file}:{line}: '{text}'{condition} matches no test")
}

fn of_status(status: &StatusFile, names: &[String], unused: &mut Vec<String>) {
    unused.extend_from_slice(status.warnings());
    let mut seen = BTreeSet::new();
    for rule in status.sources() {
        let (text, whole) = match rule.rule.strip_suffix('*') {
            Some(prefix) => (prefix, false),
            None => (rule.rule.as_str(), true),
        };
        let at = names.partition_point(|name| name.as_str() < text);
        let used =
            names.get(at).is_some_and(|name| if whole { name == text } else { name.starts_with(text) });
        // A rule that holds for several variants stands there once.
        if !used && seen.insert((rule.line, &rule.rule)) {
            unused.push(vain(status.path().display(), rule.line, &rule.rule, &rule.condition));
        }
    }
}
