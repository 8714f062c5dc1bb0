//! A test tree, opened for one run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use flotilla_messages::{CaseId, Program};

use crate::expectations::{EntryFile, Outcomes};
use crate::files::select::{Selector, Unmatched, suggestion};
use crate::kind::{Bound, Labels, Missing, Source, TestRef};
use crate::kit::error::{EngineError, ReadError};
use crate::plan::cache::{Cache, Prepared};
use crate::plan::description::Description;
use crate::plan::engines;
use crate::plan::inputs::{Inputs, inputs};
use crate::plan::instance::TestInstance;
use crate::plan::shard::Members;
use crate::plan::suite::Suite;
use crate::plan::test_files::{StartOrder, TestFile, TestFiles};
use crate::plan::unused::unused_rules;
use crate::syntax::read::read;
use crate::v8::conflict::Conflicts;
use crate::v8::dialect::looks_like_test262;
use crate::v8::facts::RunFacts;
use crate::v8::tables::Variant;

/// A test tree, opened for one run: which tests there are, and what each takes to run.
///
/// Opening reads tables, configuration and status files; directories are walked at first use, sources are read when
/// a test needs them. It can be used from several threads.
#[derive(Debug)]
pub struct Tree {
    /// What all tests share.
    pub(crate) run: Arc<RunFacts>,
    pub(crate) unsupported: Vec<String>,
    /// Programs that the build lacks, of suites that nobody asked for by name.
    pub(crate) missing: Vec<Missing>,
    /// What was not understood of a tree that is newer than what is known, each with its place.
    pub(crate) not_understood: Vec<String>,
    /// The selected ones, in the order they run; behind them what some suites run in any case.
    pub(crate) variants: Vec<Variant>,
    /// How many of them are selected.
    pub(crate) selected_variants: usize,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) suites: Vec<Suite>,
    /// For each variant.
    pub(crate) conflicts: Vec<Conflicts>,
    /// For tests without a variant.
    pub(crate) base_conflicts: Conflicts,
    pub(crate) warnings: Vec<String>,
    pub(crate) bases: OnceLock<TestFiles>,
    pub(crate) cache: Cache,
    /// `--expectations`
    pub(crate) given: Vec<Arc<EntryFile>>,
    /// All directories that may be suites.
    pub(crate) directories: BTreeSet<String>,
    pub(crate) members: Members,
    /// Tests that the host or the build cannot run, by reason, as they are met.
    pub(crate) met_skipped: Mutex<BTreeMap<String, u64>>,
}

impl Tree {
    /// The seed that tests are told, unless a run tells them others.
    pub(crate) fn random_seed(&self) -> i64 {
        self.run.options.random_seed
    }

    /// Where its build is, as seen from the root.
    pub(crate) fn build_place(&self) -> String {
        self.run.build_place()
    }

    /// Whether its tests are told a seed.
    pub(crate) fn passes_seed(&self) -> bool {
        self.run.dialect.passes_seed
    }

    /// What this tree is and what was selected.
    pub fn description(&self) -> Description {
        let suites = self.suites.iter().map(|suite| suite.name.as_str());
        let variants = self.variants.iter().take(self.selected_variants);
        let variants = variants.map(|variant| variant.name.as_str());
        let programs = self.suites.iter().flat_map(|suite| suite.kind.programs());
        Description::of_run(&self.run, suites, variants, programs)
    }

    /// Whether each shell that the selected suites need is there, and can be executed unless `--command-prefix` names what
    /// is. Walks the suites.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check_engines(&self) -> Result<(), EngineError> {
        let all: Vec<(&Suite, &Program)> = self
            .suites
            .iter()
            .flat_map(|suite| suite.kind.programs().into_iter().map(move |program| (suite, program)))
            .collect();
        if let Some(error) = engines::lacks_build(&self.run, &all) {
            return Err(error);
        }
        let used = self.bases().iter().filter(|(_, base)| !self.is_left_out(base));
        let used = engines::used(&self.suites, used.map(|(_, base)| (base.suite, base.key)));
        engines::check(&self.run, &used)
    }

    /// Programs that the build lacks, of suites that nobody asked for by name: their tests are left out.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Suites of groups of which nothing is known: they are left out.
    pub fn unsupported(&self) -> &[String] {
        &self.unsupported
    }

    /// How many things in a tree that is newer than what is known were not understood; each is a warning.
    pub fn not_understood(&self) -> usize {
        self.not_understood.len()
    }

    /// What another machine needs to run the selected tests. Reads the engines' directories.
    ///
    /// What each suite needs; `tools`, whose scripts tests load; the engines with what they load. In a tree that is no V8
    /// checkout, all of it but the build and what is hidden, unless its kind knows better.
    ///
    /// # Errors
    /// [`Bound`] when something is only on this machine.
    pub fn inputs(&self) -> Result<Inputs, Bound> {
        inputs(&self.run, &self.suites)
    }

    /// What the selected suites' status files and the expectations above them say in vain in this run, each with its
    /// place: rules and entries that match no test on disk, and words that are no outcomes.
    pub fn unused_rules(&self) -> Vec<String> {
        unused_rules(&self.suites, &self.given, &self.directories)
    }

    /// A test's source.
    ///
    /// # Errors
    /// It cannot be read, or there is no such test.
    pub fn source(&self, id: CaseId) -> Result<Vec<u8>, ReadError> {
        let base = TestInstance::from_id(id).and_then(|(index, _)| self.bases().get(index));
        let found = base.and_then(|base| Some((base, self.suite(base)?)));
        let path = match found.map(|(base, suite)| suite.kind.source(self.test_ref(base))) {
            Some(Source::Text(text)) => return Ok(text.into_bytes()),
            Some(Source::File(path)) => path,
            None => PathBuf::new(),
        };
        read(&path).map_err(|source| ReadError { path, source })
    }

    /// Whether this is a checkout of test262, and no part of V8's tree.
    pub fn is_bare_test262(&self) -> bool {
        self.suites.iter().any(|suite| suite.kind.has_labels())
    }

    /// What a test is about; `None` for tests of other suites than a bare test262, and for those that cannot be read.
    /// Reads the test's source unless that was done lately.
    pub fn labels(&self, id: CaseId) -> Option<Labels> {
        let (index, _) = TestInstance::from_id(id)?;
        let base = self.bases().get(index)?;
        if !self.suite(base)?.kind.has_labels() {
            return None;
        }
        self.prepared(index, base).as_ref().as_ref().ok()?.labels(self.bases().name(base))
    }

    /// What the instances of a test share; read now or lately.
    pub(crate) fn prepared(&self, index: u32, base: &TestFile) -> Arc<Prepared> {
        self.cache.get(index, || match self.suite(base) {
            Some(suite) => suite.kind.prepare(self.test_ref(base)),
            None => Err("there is no such suite".into()),
        })
    }

    /// A test, as its suite's kind is asked about it.
    pub(crate) fn test_ref(&self, base: &TestFile) -> TestRef<'_> {
        TestRef { name: self.bases().name(base), key: base.key, outcomes: base.outcomes }
    }

    /// Things a person should know that stand in no test's way. Those of the walk are among them once something
    /// has asked for tests.
    pub fn warnings(&self) -> Vec<String> {
        let of_walk = self.bases.get().map(|bases| bases.warnings.as_slice()).unwrap_or_default();
        self.warnings.iter().chain(of_walk).cloned().collect()
    }

    /// What was typed to select tests and matched none, with what may have been meant. Walks the suites.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        let mut unmatched = Vec::new();
        for (i, selector) in self.selectors.iter().enumerate() {
            if selector.from_group || self.bases().matched(i) {
                continue;
            }
            let suite = self.suites.iter().find(|suite| suite.name == selector.suite);
            let names = suite.map(Suite::all_names).unwrap_or_default();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            unmatched
                .push(Unmatched { selector: selector.text.clone(), nearest: suggestion(selector, &names) });
        }
        unmatched
    }

    /// The tests, found at first use.
    pub(crate) fn bases(&self) -> &TestFiles {
        let order = match self.run.options.no_sorting {
            true => StartOrder::Found,
            false if self.run.dialect.heavy_first => StartOrder::HeavyThenSlow,
            false => StartOrder::First(self.slow_words()),
        };
        self.bases.get_or_init(|| TestFiles::find(&self.suites, self.selectors.len(), order))
    }

    /// The words of tests that are slow.
    fn slow_words(&self) -> Outcomes {
        if self.run.dialect.heavy_is_slow { Outcomes::SLOW | Outcomes::HEAVY } else { Outcomes::SLOW }
    }

    /// Whether a test with these outcomes is a slow one.
    pub(crate) fn is_slow(&self, outcomes: Outcomes) -> bool {
        outcomes.has(self.slow_words())
    }

    /// A test's suite.
    pub(crate) fn suite(&self, base: &TestFile) -> Option<&Suite> {
        self.suites.get(usize::from(base.suite))
    }
}

/// The nearest directory, from `start` upwards, that looks like a test tree: it has a `test/SUITE` with a
/// `SUITE.status`, a `testcfg.py` or a `suite.toml`, or is a checkout of test262.
pub fn find_root(start: &Path) -> Option<PathBuf> {
    let looks_like = |root: &&Path| {
        if looks_like_test262(root) {
            return true;
        }
        let Ok(entries) = fs::read_dir(root.join("test")) else { return false };
        entries.flatten().any(|entry| {
            let dir = entry.path();
            let status = format!("{}.status", entry.file_name().to_string_lossy());
            [&status, "testcfg.py", crate::custom::FILE].iter().any(|file| dir.join(file).is_file())
        })
    };
    start.ancestors().find(looks_like).map(Path::to_path_buf)
}
