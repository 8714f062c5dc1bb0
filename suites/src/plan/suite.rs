//! A selected suite of the tree.

use flotilla_messages::{Arg, Program};

use crate::custom::CustomSuite;
use crate::expectations::Expectations;
use crate::files::listed::ListedTest;
use crate::files::select::NameFilter;
use crate::files::walk::WalkRules;
use crate::kit::place::Place;
use crate::plan::test_files::TestFile;
use crate::test262::{FeatureFilter, Host};
use crate::v8::dialect::SuiteRules;
use crate::v8::wasm::FlagTables;

/// A suite with all that its tests share.
#[derive(Debug)]
pub struct Suite {
    /// Its name, which is its directory's.
    pub name: String,
    /// Its rules.
    pub rules: &'static SuiteRules,
    /// Its directory.
    pub dir: Place,
    /// Its directories of tests, in byte order, as V8 walks them.
    pub test_dirs: Vec<Place>,
    /// Which of the files there are tests.
    pub walk: WalkRules,
    /// What is expected of its tests.
    pub status: Expectations,
    /// What its `suite.toml` says, if it has one.
    pub own: Option<CustomSuite>,
    /// Which of its tests were asked for.
    pub filter: NameFilter,
    /// Its tests, where they are not simply files.
    pub listed: Vec<ListedTest>,
    /// Their programs, where they are not the suite's; by the shell's name.
    pub programs: Vec<(String, Program)>,
    /// The variant that its tests run in whether it was asked for or not, among the tree's.
    pub also: Option<usize>,
    /// The variants that its tests run in besides `default`, where they do not run in all.
    pub additional_variants: Vec<String>,
    /// The files before each test.
    pub before: Vec<Arg>,
    /// The file behind these when the number fuzzer runs the tests.
    pub number_fuzzer_file: Option<Arg>,
    /// The files behind it.
    pub after: Vec<Arg>,
    /// What runs its tests.
    pub program: Program,
    /// wasm-js, wasm-spec-tests: flags of tests by what their names say.
    pub flag_tables: FlagTables,
    /// Flags before those of a test's source, where these tables say nothing.
    pub source_flags: Vec<String>,
    /// test262: flags for features.
    pub feature_flags: Vec<(String, String)>,
    /// test262: whether a test of `staging` that V8 has a version of itself is listed once.
    pub local_staging_once: bool,
    /// test262: features whose tests are left out.
    pub skipped_features: Vec<String>,
    /// test262 by itself: what its shell is told.
    pub host: Option<Host>,
    /// test262 by itself: which features' tests run.
    pub features: FeatureFilter,
}

impl Suite {
    /// Whether d8 runs it.
    pub fn is_on_d8(&self) -> bool {
        self.rules.shell_flags.contains(&"--test")
    }

    /// A test's entry among those that are not simply files.
    pub fn listed(&self, base: &TestFile) -> Option<&ListedTest> {
        self.listed.get(base.listed as usize)
    }

    /// What runs a test.
    pub fn program_of(&self, base: &TestFile) -> &Program {
        let shell = self.listed(base).and_then(|test| test.shell.as_ref());
        let own = shell.and_then(|shell| self.programs.iter().find(|(name, _)| name == shell));
        own.map_or(&self.program, |(_, program)| program)
    }

    /// Whether any test is run by the suite's own program.
    pub fn needs_its_program(&self) -> bool {
        let has_others = self.own.as_ref().is_some_and(|own| own.program_of_test.is_some());
        !has_others && (self.listed.is_empty() || self.listed.iter().any(|test| test.shell.is_none()))
    }
}
