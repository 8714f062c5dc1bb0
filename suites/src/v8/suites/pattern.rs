//! Tests by the paths of their files.

use std::path::Path;

use crate::files::select::Pattern;
use crate::kind::opening::Typed;
use crate::v8::dialect::{Listing, SuiteRules};

/// The tests of one of V8's suites that a path in its directory means.
pub fn of_rules(rules: &SuiteRules, suite: &Path, typed: Typed<'_>) -> Option<Pattern> {
    let Typed { inside: rest, is_dir: says_dir, .. } = typed;
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
        return suite.join(rest).exists().then(|| Pattern::of_path(name, is_dir));
    }
    // A test may be called like a directory.
    let is_test = |name: &str| dirs.iter().any(|dir| has_extension(&suite.join(dir).join(name), rules));
    if is_test(name) && !(says_dir && is_dir) {
        return Some(Pattern::Exact((*name).to_owned()));
    }
    if is_dir {
        return Some(Pattern::of_path(name, true));
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
