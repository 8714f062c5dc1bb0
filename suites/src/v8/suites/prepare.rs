//! What a test's source says, ready for all of its instances.

use std::collections::BTreeMap;
use std::path::Path;

use flotilla_messages::Arg;

use super::directives::directives;
use super::listed::ListedTest;
use super::prepared::{Prepared, Result};
use super::suite::V8Suite;
use super::test262::test262;
use super::test262_classic::classic;
use super::wasm::{Meta, meta};
use crate::files::walk::FileKey;
use crate::kind::TestRef;
use crate::syntax::read::read;
use crate::v8::dialect::{Judging, Layout};

/// What a test's source says.
pub fn prepare(suite: &V8Suite, test: TestRef<'_>) -> Result {
    if let Some(listed) = suite.listed(test.key) {
        return Ok(of_listed(suite, listed));
    }
    let key = FileKey::unpack(test.key.0);
    if !key.utf8 {
        return Err("its file name is not UTF-8".into());
    }
    let path = suite.path(test.name, key);
    let source = read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let prepared = if suite.has_frontmatter() && suite.run.dialect.layout == Layout::PerMode {
        classic(suite, suite.file(test.name, key), &source)
    } else if suite.has_frontmatter() {
        test262(suite, suite.run.dialect.test262, test, &source)
    } else {
        plain(suite, test.name, key, &source)
    };
    prepared.map_err(|reason| format!("{reason} ({})", path.display()))
}

/// What there is to know of it was known when it was listed.
fn of_listed(suite: &V8Suite, test: &ListedTest) -> Prepared {
    let of_suite = suite.rules.flags.iter().map(|flag| (*flag).into());
    Prepared {
        files: test.args.clone(),
        suite_flags: test.flags.iter().cloned().chain(of_suite).collect(),
        env: env(suite),
        ..Prepared::default()
    }
}

/// Every suite but test262.
fn plain(suite: &V8Suite, name: &str, key: FileKey, source: &[u8]) -> Result {
    let rules = suite.rules;
    let run = &suite.run;
    let found = directives(source, rules.directives, run.dialect.quoted_flags || rules.directives.quoted)?;
    let test = suite.file(name, key);
    let mut named = Vec::new();
    if found.file_name {
        named.push(Arg::Text("-e".into()));
        named.push(embedded(&test));
    }
    // They are relative to the directory above that of the suites.
    let extra = found.files.iter().map(|file| suite.dir.arg_normalized(run.root(), &above(file)));
    named.extend(extra);
    let mut files = Vec::new();
    if rules.files_first {
        files.append(&mut named);
    }
    let without_harness = rules.harness_optional && run.options.no_harness;
    if !(without_harness || rules.harness_optional && found.no_harness) {
        files.extend_from_slice(&suite.before);
    }
    if !without_harness {
        files.extend(suite.number_fuzzer_file.clone());
    }
    files.append(&mut named);
    let by_name = suite.flag_tables.flags(name).unwrap_or(&suite.source_flags);
    let source_flags = by_name.iter().cloned().chain(found.flags).collect();
    let meta = if rules.directives.meta { meta(source, name, &suite.flag_tables)? } else { Meta::default() };
    let tests = suite.dir_of(key);
    files.extend(meta.scripts.iter().map(|script| tests.arg_normalized(run.root(), script)));
    if let Some(script) = rules.script_of_dirs {
        let directories = name.match_indices('/').map(|(at, _)| format!("{}{script}", &name[..=at]));
        let scripts = [script.to_owned()].into_iter().chain(directories);
        files.extend(
            scripts.filter(|script| tests.path().join(script).exists()).map(|script| tests.arg(&script)),
        );
    }
    if found.module {
        files.push(Arg::Text("--module".into()));
    }
    files.push(test);
    files.extend_from_slice(&suite.after);
    if rules.isolates && run.options.isolates {
        let again = files.clone();
        files.push(Arg::Text("--isolate".into()));
        files.extend(again);
    }
    Ok(Prepared {
        files,
        source_flags,
        long: meta.long,
        negative: rules.judging == Judging::Promises && memchr::memmem::find(source, b"@negative").is_some(),
        suite_flags: rules.flags.iter().map(|flag| (*flag).into()).collect(),
        env: env(suite).into_iter().chain(found.env).collect(),
        ..Prepared::default()
    })
}

/// The variables of the environment that all tests of a suite get.
fn env(suite: &V8Suite) -> BTreeMap<String, String> {
    suite.rules.env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A path relative to two directories above the suite's; an absolute one stays so.
fn above(file: &str) -> String {
    if Path::new(file).is_absolute() { file.into() } else { format!("../../{file}") }
}

/// `TEST_FILE_NAME="<path>"`, a JavaScript statement in which backslashes are doubled.
fn embedded(test: &Arg) -> Arg {
    const BEFORE: &str = "TEST_FILE_NAME=\"";
    let doubled = |text: &str| text.replace('\\', "\\\\");
    match test {
        Arg::Path(path) => Arg::Embedded { before: BEFORE.into(), path: doubled(path), after: "\"".into() },
        other => Arg::Text(format!("{BEFORE}{}\"", doubled(&other.relative()))),
    }
}
