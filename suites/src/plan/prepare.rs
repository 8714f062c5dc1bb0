//! What a test's source says, ready for all of its subtests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flotilla_messages::Arg;

use crate::expectations::Outcomes;
use crate::files::source;
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::test262_case::{self, SkippedByHost};
use crate::plan::test262_classic::classic;
use crate::plan::tree::Tree;
use crate::syntax::read::read;
use crate::v8::dialect::{Judging, Layout, Test262Rules};
use crate::v8::frontmatter::V8Frontmatter;
use crate::v8::wasm::{Meta, meta};

/// What the subtests of one test share.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The files of the command line.
    pub files: Vec<Arg>,
    /// test262, FAIL_PHASE_ONLY: a file for all but the reverse half, and where it goes among the files.
    pub phase_file: Option<(usize, Arg)>,
    /// Flags from the source.
    pub source_flags: Vec<String>,
    /// Flags from the suite.
    pub suite_flags: Vec<String>,
    /// wasm-js: it may take ten times as long.
    pub long: bool,
    /// Whether the source says that the test must fail.
    pub negative: bool,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Which halves there are.
    pub strictness: Strictness,
    /// test262: the type of the error that is expected.
    pub exception: Option<String>,
    /// test262: whether the test is over only when it says so.
    pub asynchronous: bool,
    /// The exit code that the source says is right.
    pub exit_code: Option<i32>,
    /// test262: a feature that the suite leaves out.
    pub left_out: bool,
    /// test262 by itself: why the test does not run.
    pub withheld: Option<SkippedByHost>,
    /// test262 by itself: what cases are made of.
    pub bare: Option<test262_case::Source>,
}

/// Which modes a test runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// As it stands.
    #[default]
    Sloppy,
    /// With `--use-strict`.
    Strict,
    /// Once so, once so.
    Both,
    /// As a module.
    Module,
}

impl Strictness {
    /// What V8's own test262 suites make of a test's flags: with them modules, too, run strict and sloppy.
    pub fn of(matter: &V8Frontmatter) -> Self {
        if matter.has_flag("noStrict") {
            Self::Sloppy
        } else if matter.has_flag("onlyStrict") {
            Self::Strict
        } else {
            Self::Both
        }
    }
}

/// What a source says, or why the test cannot be run.
pub type Result = std::result::Result<Prepared, String>;

/// Recently read sources: the variants of one test follow one another.
#[derive(Debug)]
pub struct Cache(Mutex<Vec<Option<Slot>>>);

/// A test's number, and what its source says.
type Slot = (u32, Arc<Result>);

impl Default for Cache {
    fn default() -> Self {
        Self(Mutex::new(vec![None; Self::SLOTS]))
    }
}

impl Cache {
    /// A few dozen, so that many threads and a look ahead find their tests.
    const SLOTS: usize = 64;

    /// What is kept under `index`, or what `read` gives. Two threads may both read; neither waits for the other.
    fn get(&self, index: u32, read: impl FnOnce() -> Result) -> Arc<Result> {
        let slot = index as usize % Self::SLOTS;
        // A panic elsewhere cannot leave a slot half written.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((have, found)) = &lock()[slot]
            && *have == index
        {
            return Arc::clone(found);
        }
        let found = Arc::new(read());
        lock()[slot] = Some((index, Arc::clone(&found)));
        found
    }
}

impl Suite {
    /// Whether tests say in their frontmatter which subtests they have.
    pub fn has_frontmatter(&self) -> bool {
        matches!(self.rules.judging, Judging::Test262 | Judging::Interpreting)
    }

    /// The test's own file, relative to its test directory.
    pub fn file_name(&self, name: &str, base: &TestFile) -> String {
        let extension = self.rules.extensions.get(usize::from(base.extension)).copied().unwrap_or_default();
        format!("{name}{extension}")
    }

    /// The test's own file.
    pub fn source_path(&self, name: &str, base: &TestFile) -> PathBuf {
        let dir = self.test_dirs.get(usize::from(base.dir)).map_or(self.dir.path(), |dir| dir.path());
        dir.join(self.file_name(name, base))
    }
}

impl Tree {
    /// What the subtests of a test share; read now or lately.
    pub(crate) fn prepared(&self, index: u32, base: &TestFile) -> Arc<Result> {
        self.cache.get(index, || self.prepare(base))
    }

    fn prepare(&self, base: &TestFile) -> Result {
        let suite = self.suite(base).ok_or("there is no such suite")?;
        if !base.utf8 {
            return Err("its file name is not UTF-8".into());
        }
        if let (Some(test), Some(own)) = (suite.listed(base), &suite.own) {
            return self.prepare_own(suite, own, test);
        }
        if let Some(test) = suite.listed(base) {
            // What there is to know of it was known when it was listed.
            let (files, suite_flags) = (test.args.clone(), test.flags.clone());
            let suite_flags =
                suite_flags.into_iter().chain(suite.rules.flags.iter().map(|flag| (*flag).into()));
            return Ok(Prepared {
                files,
                suite_flags: suite_flags.collect(),
                env: of_suite(suite),
                ..Prepared::default()
            });
        }
        let name = self.bases().name(base);
        let path = suite.source_path(name, base);
        let source = read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        if let Some(host) = &suite.host {
            return self.prepare_bare(suite, host, base, &source);
        }
        let prepared = if suite.has_frontmatter() && self.dialect.layout == Layout::PerMode {
            classic(suite, test_file(suite, name, base), &source)
        } else if suite.has_frontmatter() {
            test262(suite, self.dialect.test262, base, name, &source)
        } else {
            self.plain(suite, base, name, &source)
        };
        prepared.map_err(|reason| format!("{reason} ({})", path.display()))
    }

    /// Every suite but test262.
    fn plain(&self, suite: &Suite, base: &TestFile, name: &str, source: &[u8]) -> Result {
        let rules = suite.rules;
        let found = source::directives(
            source,
            rules.directives,
            self.dialect.quoted_flags || rules.directives.quoted,
        )?;
        let test = test_file(suite, name, base);
        let mut named = Vec::new();
        if found.file_name {
            named.push(Arg::Text("-e".into()));
            named.push(embedded(&test));
        }
        // They are relative to the directory above that of the suites.
        let extra = found.files.iter().map(|file| suite.dir.arg_normalized(&self.options.root, &above(file)));
        named.extend(extra);
        let mut files = Vec::new();
        if rules.files_first {
            files.append(&mut named);
        }
        let without_harness = rules.harness_optional && self.options.no_harness;
        if !(without_harness || rules.harness_optional && found.no_harness) {
            files.extend_from_slice(&suite.before);
        }
        if !without_harness {
            files.extend(suite.number_fuzzer_file.clone());
        }
        files.append(&mut named);
        let by_name = suite.flag_tables.flags(name).unwrap_or(&suite.source_flags);
        let source_flags = by_name.iter().cloned().chain(found.flags).collect();
        let meta =
            if rules.directives.meta { meta(source, name, &suite.flag_tables)? } else { Meta::default() };
        let tests = suite.test_dirs.get(usize::from(base.dir)).unwrap_or(&suite.dir);
        files.extend(meta.scripts.iter().map(|script| tests.arg_normalized(&self.options.root, script)));
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
        if rules.isolates && self.options.isolates {
            let again = files.clone();
            files.push(Arg::Text("--isolate".into()));
            files.extend(again);
        }
        Ok(Prepared {
            files,
            source_flags,
            long: meta.long,
            negative: rules.judging == Judging::Promises
                && memchr::memmem::find(source, b"@negative").is_some(),
            suite_flags: rules.flags.iter().map(|flag| (*flag).into()).collect(),
            env: of_suite(suite).into_iter().chain(found.env).collect(),
            ..Prepared::default()
        })
    }
}

/// The variables of the environment that all tests of a suite get.
fn of_suite(suite: &Suite) -> BTreeMap<String, String> {
    suite.rules.env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A path relative to two directories above the suite's; an absolute one stays so.
fn above(file: &str) -> String {
    if Path::new(file).is_absolute() { file.into() } else { format!("../../{file}") }
}

fn test_file(suite: &Suite, name: &str, base: &TestFile) -> Arg {
    let dir = suite.test_dirs.get(usize::from(base.dir)).unwrap_or(&suite.dir);
    dir.arg(&suite.file_name(name, base))
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

/// V8's own suite test262 (V8 9.2 to 13.8 `test/test262/testcfg.py`). The flags `generated` and `CanBlock*` have no effect
/// there.
fn test262(suite: &Suite, rules: Test262Rules, base: &TestFile, name: &str, source: &[u8]) -> Result {
    const DETACH: &str = "detachArrayBuffer.js";
    let matter = V8Frontmatter::read(source)?;
    let mut files = Vec::new();
    if !(rules.raw_has_no_harness && matter.has_flag("raw")) {
        files.extend_from_slice(&suite.before);
    }
    if name.starts_with("built-ins/Atomics/") {
        files.push(suite.dir.arg("harness-agent.js"));
    }
    if matter.has_feature("IsHTMLDDA") {
        files.push(suite.dir.arg("harness-ishtmldda.js"));
    }
    if let Some(file) = rules.module_source_file.filter(|_| matter.has_feature("source-phase-imports")) {
        files.push(suite.dir.arg(file));
    }
    let phase_file = base
        .outcomes
        .has(Outcomes::FAIL_PHASE_ONLY)
        .then(|| (files.len(), suite.dir.arg("harness-adapt-donotevaluate.js")));
    let asynchronous = matter.has_flag("async");
    if let Some(file) = rules.async_file.filter(|_| asynchronous) {
        files.push(suite.dir.arg(file));
    }
    for include in &matter.includes {
        // This one needs natives, so V8 has its own.
        let own = include == DETACH;
        files.push(if own {
            suite.dir.arg(include)
        } else {
            suite.dir.arg(&format!("data/harness/{include}"))
        });
    }
    if matter.has_flag("module") {
        files.push(Arg::Text("--module".into()));
    }
    files.push(test_file(suite, name, base));

    let mut flags = vec!["--ignore-unhandled-promises".to_string()];
    if matter.negative {
        flags.push("--throws".into());
    }
    if matter.includes.iter().any(|include| include == DETACH) {
        flags.push("--allow-natives-syntax".into());
    }
    let of_features = suite.feature_flags.iter().filter(|(feature, _)| matter.has_feature(feature));
    for (_, of_feature) in of_features {
        match rules.splits_feature_flags {
            true => flags.extend(of_feature.split(' ').map(String::from)),
            false => flags.push(of_feature.clone()),
        }
    }
    flags.push("--no-arguments".into());

    let strictness = Strictness::of(&matter);
    Ok(Prepared {
        files,
        phase_file,
        suite_flags: flags,
        strictness,
        left_out: suite.skipped_features.iter().any(|feature| matter.has_feature(feature)),
        exception: matter.negative_type,
        asynchronous,
        ..Prepared::default()
    })
}
