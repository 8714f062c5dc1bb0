//! Which directories are V8's own suites, and how they are opened.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_messages::Program;

use super::listed::{Asking, ListedTest, list};
use super::pattern::of_rules;
use super::suite::V8Suite;
use super::walk_rules::walk_rules;
use super::wasm::FlagTables;
use crate::expectations::StatusFile;
use crate::files::select::Pattern;
use crate::kind::opening::Typed;
use crate::kind::{Candidate, Loader, Missing, Opened, Opening, VariantChoice};
use crate::kit::error::OpenError;
use crate::kit::options::Framework;
use crate::kit::place::Place;
use crate::syntax::read::read;
use crate::v8::dialect::{Judging, Listing, Property, SuiteRules, SuiteVariants};
use crate::v8::facts::{D8, RunFacts};
use crate::v8::runner_source::SuiteConfig;
use crate::v8::tables::{DEFAULT, feature_flags, skipped_features};

/// Opens suites whose names the tree's version knows.
#[derive(Clone, Debug)]
pub struct V8Loader {
    run: Arc<RunFacts>,
}

impl V8Loader {
    /// Of a run.
    pub fn new(run: Arc<RunFacts>) -> Self {
        Self { run }
    }

    fn rules(&self, name: &str) -> Option<&'static SuiteRules> {
        self.run.dialect.suites.find(name)
    }

    /// The variant that a suite runs in whether it was asked for or not.
    fn also(&self, rules: &SuiteRules, dir: &Path) -> Option<String> {
        let name = match rules.variants {
            SuiteVariants::And(name) => name,
            SuiteVariants::Default if self.run.dialect.default_suites_always => return Some(DEFAULT.into()),
            _ => return None,
        };
        let config = read(&dir.join("testcfg.py")).ok()?;
        let says = memchr::memmem::find(&config, format!("\"{name}\"").as_bytes()).is_some();
        (says && self.run.tables.variants.iter().any(|variant| variant.name == name)).then(|| name.into())
    }
}

impl Loader for V8Loader {
    fn recognizes(&self, _: &Path, name: &str) -> bool {
        self.rules(name).is_some()
    }

    fn pattern(&self, dir: &Path, name: &str, typed: Typed<'_>) -> Option<Pattern> {
        of_rules(self.rules(name)?, dir, typed)
    }

    fn choose(&self, dir: PathBuf, name: &str) -> Result<Option<Candidate<'_>>, OpenError> {
        Ok(self.rules(name).map(|rules| Candidate {
            name: name.to_owned(),
            needs_build: rules.shell != D8,
            also: self.also(rules, &dir),
            dir,
            open: Box::new(|opening| Asked { run: &self.run, rules, opening }.open()),
        }))
    }
}

/// A suite that is being opened.
struct Asked<'a> {
    run: &'a Arc<RunFacts>,
    rules: &'static SuiteRules,
    opening: &'a Opening<'a>,
}

impl Asked<'_> {
    fn open(&self) -> Result<Opened, OpenError> {
        let Self { run, rules, opening: Opening { name, dir, reading, by_group, .. } } = self;
        if let Some(missing) = self.not_built().filter(|_| *by_group) {
            return Ok(Opened { missing: vec![missing], ..Opened::default() });
        }
        let path = dir.path().join(format!("{name}.status"));
        let bytes = read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
        let shown = path.strip_prefix(run.root()).unwrap_or(&path);
        let status = StatusFile::read(shown, &String::from_utf8_lossy(&bytes), *reading)?;
        let program = run.program(rules.shell);
        let (config, problems) = SuiteConfig::read(dir.path(), run.root());
        let mut listed = self.list(&program, &config)?;
        let missing = if *by_group { self.leave_out_not_built(&mut listed) } else { Vec::new() };
        Ok(Opened {
            suite: Some(Box::new(Arc::new(self.suite(program, config, listed)?))),
            status,
            missing,
            // In trees that are known, what is not read so far is as the built-in tables say.
            not_understood: if reading.variables.allows_unknown() { problems } else { Vec::new() },
            ..Opened::default()
        })
    }

    /// The tests that are not simply files.
    fn list(&self, program: &Program, config: &SuiteConfig) -> Result<Vec<ListedTest>, OpenError> {
        let Self { run, rules, opening } = self;
        let how_to_make = match &program {
            Program::Shell(shell) => run.build.how_to_make(Path::new(&shell.resolve(run.root())), run.root()),
            Program::Builtin => String::new(),
        };
        let asking = Asking {
            dir: &opening.dir,
            root: run.root(),
            program,
            prefix: &run.prefix,
            config,
            extra_flags: &run.extra_flags,
            seed: run.options.random_seed,
            how_to_make: &how_to_make,
        };
        list(rules, &asking)
    }

    fn suite(
        &self,
        program: Program,
        config: SuiteConfig,
        listed: Vec<ListedTest>,
    ) -> Result<V8Suite, OpenError> {
        let Self { run, rules, opening: Opening { dir, also, .. } } = self;
        let root = run.root();
        let mut shells: Vec<&String> = listed.iter().filter_map(|test| test.shell.as_ref()).collect();
        shells.sort_unstable();
        shells.dedup();
        let mut test_dirs: Vec<PathBuf> =
            rules.test_dirs.iter().map(|test_dir| dir.path().join(test_dir)).collect();
        test_dirs.sort();
        let is_test262 = rules.judging == Judging::Test262;
        let args = |files: &[&str]| files.iter().map(|file| dir.arg_normalized(root, file)).collect();
        Ok(V8Suite {
            run: Arc::clone(run),
            rules,
            test_dirs: test_dirs.iter().map(|test_dir| Place::new(root, test_dir)).collect(),
            walk: walk_rules(rules, &config, run.build.has(Property::NoI18n)),
            programs: shells.into_iter().map(|shell| (shell.clone(), run.program(shell))).collect(),
            listed,
            variants: variants(rules, config.additional_variants.unwrap_or_default(), *also),
            before: args(rules.before),
            number_fuzzer_file: rules
                .number_fuzzer_file
                .filter(|_| run.options.framework == Framework::NumFuzzer)
                .map(|file| dir.arg_normalized(root, file)),
            after: args(rules.after),
            program,
            flag_tables: if rules.proposals { FlagTables::read(dir.path())? } else { FlagTables::default() },
            source_flags: match config.default_flags.filter(|_| rules.proposals) {
                Some(own) => own,
                None => rules.source_flags.iter().map(|flag| (*flag).into()).collect(),
            },
            feature_flags: if is_test262 { feature_flags(dir.path(), run.dialect)? } else { Vec::new() },
            skipped_features: if is_test262 { skipped_features(dir.path())? } else { Vec::new() },
            local_staging_once: is_test262 && run.dialect.test262.local_staging_once,
            dir: dir.clone(),
        })
    }

    /// The program of the suite, if the build lacks it and it is needed, where there is a build.
    fn not_built(&self) -> Option<Missing> {
        let needs_one = self.run.build.dir.is_some()
            && match self.rules.listing {
                Listing::Fuzzer { .. } | Listing::Nothing => false,
                Listing::Binary(_) => true,
                _ => !self.run.options.lists,
            };
        needs_one.then(|| self.run.missing(self.opening.name, self.rules.shell)).flatten()
    }

    /// Leaves out the tests whose own programs the build lacks, and tells which.
    fn leave_out_not_built(&self, listed: &mut Vec<ListedTest>) -> Vec<Missing> {
        if self.run.build.dir.is_none() || self.run.options.lists {
            return Vec::new();
        }
        let shells: BTreeSet<String> = listed.iter().filter_map(|test| test.shell.clone()).collect();
        let gone: Vec<(String, Missing)> = shells
            .into_iter()
            .filter_map(|shell| Some((shell.clone(), self.run.missing(self.opening.name, &shell)?)))
            .collect();
        let is_gone = |shell: &String| gone.iter().any(|(gone, _)| gone == shell);
        listed.retain(|test| !test.shell.as_ref().is_some_and(is_gone));
        gone.into_iter().map(|(_, missing)| missing).collect()
    }
}

/// Which variants a suite's tests run in; `additional`: what its `testcfg.py` names.
fn variants(rules: &SuiteRules, additional: Vec<String>, also: Option<usize>) -> VariantChoice {
    let default = || vec![DEFAULT.to_owned()];
    VariantChoice {
        only: match rules.variants {
            SuiteVariants::Default => default(),
            SuiteVariants::Additional => [default(), additional].concat(),
            SuiteVariants::All | SuiteVariants::And(_) | SuiteVariants::Fast => Vec::new(),
        },
        fast: rules.variants == SuiteVariants::Fast,
        also,
    }
}
