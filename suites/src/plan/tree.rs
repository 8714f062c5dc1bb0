//! A test tree, opened for one run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use flotilla_messages::{CaseId, Program};

use crate::expectations::{EntryFile, Outcomes};
use crate::files::listed::Source;
use crate::files::select::{NameFilter, Selector, Unmatched, suggestion};
use crate::kit::error::{EngineError, ReadError};
use crate::kit::options::{Options, Shell};
use crate::plan::instances::TestInstance;
use crate::plan::missing::Missing;
use crate::plan::open::{D8, program};
use crate::plan::prepare::Cache;
use crate::plan::shard::Members;
use crate::plan::suite::Suite;
use crate::plan::test_files::{StartOrder, TestFile, TestFiles};
use crate::syntax::read::read;
use crate::v8::build::Build;
use crate::v8::conflict::Conflicts;
use crate::v8::dialect::{Detected, Dialect, Listing, looks_like_test262};
use crate::v8::tables::{Tables, Variant};

/// A test tree, opened for one run: which tests there are, and what each takes to run.
///
/// Opening reads tables, configuration and status files; directories are walked at first use, sources are read when
/// a test needs them. It can be used from several threads.
#[derive(Debug)]
pub struct Tree {
    pub(crate) options: Options,
    pub(crate) dialect: &'static Dialect,
    pub(crate) detected: Detected,
    pub(crate) unsupported: Vec<String>,
    /// Whether the tree has a runner of its own.
    pub(crate) has_runner: bool,
    /// Programs that the build lacks, of suites that nobody asked for by name.
    pub(crate) missing: Vec<Missing>,
    /// What was not understood of a tree that is newer than what is known, each with its place.
    pub(crate) not_understood: Vec<String>,
    pub(crate) build: Build,
    pub(crate) tables: Tables,
    /// The selected ones, in the order they run; behind them what some suites run in any case.
    pub(crate) variants: Vec<Variant>,
    /// How many of them are selected.
    pub(crate) selected_variants: usize,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) suites: Vec<Suite>,
    pub(crate) prefix: Vec<String>,
    pub(crate) mode_flags: Vec<String>,
    pub(crate) extra_flags: Vec<String>,
    /// What follows them where d8 runs the test.
    pub(crate) extra_d8_flags: Vec<String>,
    /// What sanitizers are told, by variable.
    pub(crate) sanitizer_env: BTreeMap<String, String>,
    /// Seconds, with all factors that do not depend on the test.
    pub(crate) base_timeout: f64,
    /// For each selected variant.
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
    /// Tests that the host cannot run, by reason, as they are met.
    pub(crate) met_withheld: Mutex<BTreeMap<String, u64>>,
}

/// What a person may want to know of an opened tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The build's directory, if there is a build.
    pub build_dir: Option<PathBuf>,
    /// The architecture, such as `x64`.
    pub arch: String,
    /// `release`, `debug` or `release+dchecks`.
    pub mode: String,
    /// The build's options, as V8's runner prints them.
    pub detected: Vec<String>,
    /// The selected variants, in the order they run.
    pub variants: Vec<String>,
    /// What runs the tests: a path relative to the root, or `built-in shell`; several, separated by commas.
    pub engine: String,
    /// Which of them runs scripts: it stands for the build in whatever is kept of runs.
    pub main_engine: String,
    /// The selected suites, in order.
    pub suites: Vec<String>,
    /// Whose rules hold, such as `V8 9.2`; with the tree's own version in parentheses where that is another.
    pub dialect: String,
    /// Whether nothing in the tree says whose rules hold, so that they are assumed.
    pub assumed: bool,
}

impl Description {
    /// What the build is called beside others, such as `x64.release`.
    pub fn product(&self) -> String {
        format!("{}.{}", self.arch, self.mode)
    }
}

impl Tree {
    /// The seed that tests are told, unless a run tells them others.
    pub(crate) fn random_seed(&self) -> i64 {
        self.options.random_seed
    }

    /// Where its build is, as seen from the root.
    pub(crate) fn build_place(&self) -> String {
        let dir = self.build.dir.as_deref().unwrap_or(Path::new(""));
        dir.strip_prefix(&self.options.root).unwrap_or(dir).display().to_string()
    }

    /// Whether its tests are told a seed.
    pub(crate) fn passes_seed(&self) -> bool {
        self.dialect.passes_seed
    }

    /// What this tree is and what was selected.
    pub fn description(&self) -> Description {
        let engines: BTreeSet<String> = self.programs().map(|(_, program)| shown(program)).collect();
        Description {
            build_dir: self.build.dir.clone(),
            arch: self.build.arch.clone(),
            mode: self.build.mode.label().into(),
            detected: self.build.detected(),
            variants: self
                .variants
                .iter()
                .take(self.selected_variants)
                .map(|variant| variant.name.clone())
                .collect(),
            engine: match engines.into_iter().collect::<Vec<_>>().join(", ") {
                // Suites of one's own whose tests are programs.
                none if none.is_empty() => "programs of their own".into(),
                engines => engines,
            },
            main_engine: shown(&program(&self.options, &self.build, D8)),
            suites: self.suites.iter().map(|suite| suite.name.clone()).collect(),
            dialect: self.detected.to_string(),
            assumed: self.detected.assumed,
        }
    }

    /// Whether each shell that the selected suites need is there, and can be executed unless `--command-prefix` names what
    /// is.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check_engines(&self) -> Result<(), EngineError> {
        let options = &self.options;
        let stands_in = options.shell == Shell::FromTree && options.shell_dir.is_none();
        // Another engine than the tree's runs its tests only where that was asked for.
        if self.has_runner
            && self.build.dir.is_none()
            && stands_in
            && self.programs().any(|(_, p)| *p == Program::Builtin)
        {
            return Err(EngineError::NoBuild { outdir: options.root.join(&options.outdir) });
        }
        for (suite, program) in self.used_programs() {
            let Program::Shell(shell) = program else { continue };
            let path = PathBuf::from(shell.resolve(&self.options.root));
            // A shell of the build has no directory where there is no build.
            let is_own = suite.own.is_some();
            let reason = if path.components().count() < 2 && is_own {
                "is not found in PATH".into()
            } else if path.components().count() < 2 {
                "cannot be found: the tree has no build, and the built-in shell does not stand in for it"
                    .into()
            } else {
                match fs::metadata(&path) {
                    // It is an argument of another program, which knows best what to do with it.
                    Ok(_) if !self.prefix.is_empty() => continue,
                    Ok(found) if !found.is_file() => "is no file".into(),
                    Ok(found) if !is_executable(&found) => "is not executable".into(),
                    Ok(_) => continue,
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                        format!("does not exist{}", self.build.how_to_make(&path, &options.root))
                    }
                    Err(e) => format!("cannot be used: {e}"),
                }
            };
            let needed = self.used_programs().filter(|(_, other)| *other == program).map(|(suite, _)| suite);
            let mut suites: Vec<String> = needed.map(|suite| suite.name.clone()).collect();
            suites.dedup();
            return Err(EngineError::Unusable { path, reason, suites });
        }
        Ok(())
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

    /// The programs of the tests that were asked for, with their suites. Walks the suites.
    fn used_programs(&self) -> impl Iterator<Item = (&Suite, &Program)> {
        let mut used: BTreeSet<(u16, Option<&String>)> = BTreeSet::new();
        for (_, base) in self.bases().iter().filter(|(_, base)| !self.is_left_out(base)) {
            let shell = self.suite(base).and_then(|suite| suite.listed(base)?.shell.as_ref());
            used.insert((base.suite, shell));
        }
        let is_used = move |(index, shell): (usize, Option<&String>)| {
            u16::try_from(index).is_ok_and(|index| used.contains(&(index, shell)))
        };
        let programs = self.suites.iter().enumerate().flat_map(move |(index, suite)| {
            let common = suite.needs_its_program() && is_used((index, None));
            let own = suite.programs.iter().filter(|(shell, _)| {
                // What a suite of one's own runs beside its program is needed by all of its tests.
                if suite.own.is_some() { is_used((index, None)) } else { is_used((index, Some(shell))) }
            });
            let own: Vec<_> = own.map(|(_, program)| program).collect();
            common.then_some(&suite.program).into_iter().chain(own).map(move |program| (suite, program))
        });
        programs.collect::<Vec<_>>().into_iter()
    }

    /// The programs that tests need, with their suites.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&Suite, &Program)> {
        self.suites.iter().flat_map(|suite| {
            let own = suite.programs.iter().map(|(_, program)| program);
            // A suite all of whose tests have shells of their own needs no other.
            let nameless = suite.own.is_none() && suite.rules.shell.is_empty();
            let common = (suite.needs_its_program() && !nameless).then_some(&suite.program);
            common.into_iter().chain(own).map(move |program| (suite, program))
        })
    }

    /// A test's source.
    ///
    /// # Errors
    /// It cannot be read, or there is no such test.
    pub fn source(&self, id: CaseId) -> Result<Vec<u8>, ReadError> {
        let base = TestInstance::from_id(id).and_then(|(index, _)| self.bases().get(index));
        let found = base.and_then(|base| Some((base, self.suite(base)?)));
        let listed = found.and_then(|(base, suite)| suite.listed(base));
        let path = match (listed.map(|test| &test.source), found) {
            (Some(Source::Text(text)), _) => return Ok(text.clone().into_bytes()),
            (Some(Source::File(path)), _) => path.clone(),
            (None, Some((base, suite))) => suite.source_path(self.bases().name(base), base),
            (None, None) => PathBuf::new(),
        };
        read(&path).map_err(|source| ReadError { path, source })
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
            let names = suite.map(|suite| self.all_names(suite)).unwrap_or_default();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            unmatched
                .push(Unmatched { selector: selector.text.clone(), nearest: suggestion(selector, &names) });
        }
        unmatched
    }

    /// The names of all tests of a suite, asked for or not.
    pub(crate) fn all_names(&self, suite: &Suite) -> Vec<String> {
        let everything = Selector::new(&suite.name, true);
        let filter = NameFilter::new([(0, &everything)].into_iter());
        let mut names: Vec<String> = suite.listed.iter().map(|test| test.name.clone()).collect();
        let walked = suite.rules.listing == Listing::Files;
        for dir in suite.test_dirs.iter().filter(|_| walked) {
            crate::files::walk::walk(
                dir.path(),
                &suite.walk,
                |prefix| filter.may_take_below(prefix),
                |file| names.push(file.name.into()),
                &mut Vec::new(),
            );
        }
        names
    }

    /// The tests, found at first use.
    pub(crate) fn bases(&self) -> &TestFiles {
        let order = match self.options.no_sorting {
            true => StartOrder::Found,
            false if self.dialect.heavy_first => StartOrder::HeavyThenSlow,
            false => StartOrder::First(self.slow_words()),
        };
        self.bases.get_or_init(|| TestFiles::find(&self.suites, self.selectors.len(), order))
    }

    /// The words of tests that are slow.
    fn slow_words(&self) -> Outcomes {
        if self.dialect.heavy_is_slow { Outcomes::SLOW | Outcomes::HEAVY } else { Outcomes::SLOW }
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

/// A program as people are told of it.
pub(crate) fn shown(program: &Program) -> String {
    match program {
        Program::Builtin => "built-in shell".into(),
        Program::Shell(path) => path.relative(),
    }
}

#[cfg(unix)]
fn is_executable(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
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
