//! One of V8's own suites.

use std::path::PathBuf;
use std::sync::Arc;

use flotilla_messages::{Arg, Program};

use super::listed::ListedTest;
use super::wasm::FlagTables;
use crate::files::walk::{FileKey, WalkRules};
use crate::kind::{TestKey, VariantChoice};
use crate::kit::place::Place;
use crate::v8::dialect::{Judging, SuiteRules};
use crate::v8::facts::RunFacts;

/// One of V8's own suites, with all that its tests share.
#[derive(Debug)]
pub struct V8Suite {
    /// What all tests of the run share.
    pub run: Arc<RunFacts>,
    /// Its rules.
    pub rules: &'static SuiteRules,
    /// Its directory.
    pub dir: Place,
    /// Its directories of tests, in byte order, as V8 walks them.
    pub test_dirs: Vec<Place>,
    /// Which of the files there are tests.
    pub walk: WalkRules,
    /// Its tests, where they are not simply files.
    pub listed: Vec<ListedTest>,
    /// What runs its tests.
    pub program: Program,
    /// Their programs, where they are not the suite's; by the shell's name.
    pub programs: Vec<(String, Program)>,
    /// Which variants they run in.
    pub variants: VariantChoice,
    /// The files before each test.
    pub before: Vec<Arg>,
    /// The file behind these when the number fuzzer runs the tests.
    pub number_fuzzer_file: Option<Arg>,
    /// The files behind it.
    pub after: Vec<Arg>,
    /// wasm-js, wasm-spec-tests: flags of tests by what their names say.
    pub flag_tables: FlagTables,
    /// Flags before those of a test's source, where these tables say nothing.
    pub source_flags: Vec<String>,
    /// test262: flags for features.
    pub feature_flags: Vec<(String, String)>,
    /// test262: features whose tests are left out.
    pub skipped_features: Vec<String>,
    /// test262: whether a test of `staging` that V8 has a version of itself is listed once.
    pub local_staging_once: bool,
}

impl V8Suite {
    /// Whether d8 runs it.
    pub fn is_on_d8(&self) -> bool {
        self.rules.shell_flags.contains(&"--test")
    }

    /// Whether tests say in their frontmatter which instances they have.
    pub fn has_frontmatter(&self) -> bool {
        self.rules.judging == Judging::Test262
    }

    /// A test's entry among those that are not simply files.
    pub fn listed(&self, test: TestKey) -> Option<&ListedTest> {
        self.listed.get(usize::try_from(test.0).ok()?)
    }

    /// What runs a test.
    pub fn program_of(&self, test: TestKey) -> &Program {
        let shell = self.listed(test).and_then(|test| test.shell.as_ref());
        let own = shell.and_then(|shell| self.programs.iter().find(|(name, _)| name == shell));
        own.map_or(&self.program, |(_, program)| program)
    }

    /// The directory of tests that a test's file is in.
    pub fn dir_of(&self, key: FileKey) -> &Place {
        self.test_dirs.get(usize::from(key.dir)).unwrap_or(&self.dir)
    }

    /// The test's own file, relative to its test directory.
    pub fn file_name(&self, name: &str, key: FileKey) -> String {
        let extension = self.rules.extensions.get(usize::from(key.extension)).copied().unwrap_or_default();
        format!("{name}{extension}")
    }

    /// The test's own file, as an argument.
    pub fn file(&self, name: &str, key: FileKey) -> Arg {
        self.dir_of(key).arg(&self.file_name(name, key))
    }

    /// The test's own file.
    pub fn path(&self, name: &str, key: FileKey) -> PathBuf {
        self.dir_of(key).path().join(self.file_name(name, key))
    }

    /// Whether any test is run by the suite's own program.
    pub fn needs_its_program(&self) -> bool {
        // A suite all of whose tests have shells of their own needs no other.
        let nameless = self.rules.shell.is_empty();
        !nameless && (self.listed.is_empty() || self.listed.iter().any(|test| test.shell.is_none()))
    }
}
