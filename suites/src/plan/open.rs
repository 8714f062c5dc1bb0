//! Opening a tree: everything that can be wrong before any test runs is found here.

mod conditions;
mod flags;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Program};

use crate::custom::template::Hole;
use crate::custom::{self, Config};
use crate::expectations::entries::Layer;
use crate::expectations::{EntryFile, Expectations, Reading, StatusFile, given};
use crate::files::listed::{Asking, ListedTest, PYTHON, list};
use crate::files::select::{NameFilter, Selector};
use crate::files::walk::WalkRules;
use crate::kit::error::OpenError;
use crate::kit::options::{Framework, Options, Shell};
use crate::kit::place::Place;
use crate::kit::search_path::on_path;
use crate::plan::choose::{Chosen, Selected, select, select_bare};
use crate::plan::instances::TestInstance;
use crate::plan::missing::Missing;
use crate::plan::prepare::Cache;
use crate::plan::shard::Members;
use crate::plan::suite::Suite;
use crate::plan::tree::{Description, Tree, shown};
use crate::syntax::read::read;
use crate::test262::{FeatureFilter, Host};
use crate::v8::build::{Build, config_of};
use crate::v8::conflict::Conflicts;
use crate::v8::dialect::{
    Detected, Dialect, Judging, Layout, Listing, Property, SuiteRules, SuiteVariants, detect, has_harness,
};
use crate::v8::runner_source::SuiteConfig;
use crate::v8::sanitizers;
use crate::v8::tables::{Tables, Variant, feature_flags, skipped_features};
use crate::v8::wasm::FlagTables;

use conditions::{missing_keys, variables};
use flags::{base_timeout, extra_flags, mode_flags, split};

/// The only variant of builds that allow no other, and of tests marked NO_VARIANTS.
pub const DEFAULT: &str = "default";
/// The shell that the built-in one stands in for.
pub const D8: &str = "d8";

impl Tree {
    /// Opens a tree: reads its build configuration, its tables and the selected suites' status files.
    ///
    /// # Errors
    /// Whatever is wrong with these or with the options; see [`OpenError::exit_code`].
    pub fn open(mut options: Options) -> Result<Self, OpenError> {
        options.root = normalize(&options.root);
        let root = options.root.as_path();
        let Ground { detected, build, tables, has_runner } = Ground::read(&options)?;
        let dialect = detected.dialect;
        let mut warnings: Vec<String> = detected.warning().into_iter().collect();
        let mut not_understood = tables.not_understood.clone();

        let restricted = is_restricted(&build, &options, dialect);
        let mut variants =
            tables.select(if restricted { Some(DEFAULT) } else { options.variants.as_deref() })?;
        let selected_variants = variants.len();
        if variants.len() > TestInstance::MAX_VARIANTS {
            return Err(OpenError::Option {
                option: "--variants",
                value: options.variants.clone().unwrap_or_default(),
                reason: format!("it means more than {} variants", TestInstance::MAX_VARIANTS),
            });
        }
        if dialect.layout != Layout::Bare && (options.host.is_some() || !options.features.is_empty()) {
            warnings
                .push("--host and --features are for a checkout of test262 by itself: not looked at".into());
        }
        let unheeded: Vec<&str> =
            options.build_with.iter().map(String::as_str).filter(|with| !build.was_made_with(with)).collect();
        if !unheeded.is_empty() && build.is_configured() {
            let said = unheeded.join(", ");
            warnings.push(format!(
                "the build's v8_build_config.json says what it was made with; not looked at: {said}"
            ));
        }
        let (extra_flags, extra_d8_flags) = extra_flags(&options, &build, &tables, dialect)?;
        let prefix = split("--command-prefix", &options.command_prefix)?;
        let variables = variables(&options, &build, &tables, &detected, &extra_flags)?;
        not_understood.extend(missing_keys(&build, &tables, &variables, &detected)?);

        let test_root = root.join(options.test_root.as_deref().unwrap_or(Path::new("test")));
        let Selected { selectors, suites: selected, directories, unsupported } = match dialect.layout {
            Layout::Bare => select_bare(&options, dialect),
            _ => select(&options, &test_root, &tables, &build, dialect, &mut warnings)?,
        };
        match detected.newer {
            true => not_understood.extend(unsupported.iter().map(|suite| {
                format!("{}: nothing is known of such a suite: left out", test_root.join(suite).display())
            })),
            false if unsupported.is_empty() => {}
            false => warnings.push(format!(
                "without a known configuration and left out (a {} would say how to run them): {}",
                custom::FILE,
                unsupported.join(" ")
            )),
        }
        // Behind those that were asked for.
        let also: Vec<Option<String>> =
            selected.iter().map(|chosen| also(chosen.rules, dialect, &test_root, &tables)).collect();
        for name in also.iter().flatten() {
            let known = tables.variants.iter().find(|variant| variant.name == *name);
            if let Some(variant) = known.filter(|variant| !variants.contains(variant)) {
                variants.push(variant.clone());
            }
        }
        let (all_variants, run_variants) = (names(&tables.variants), names(&variants));
        let reading = Reading {
            variables: &variables,
            all_variants: &all_variants,
            selected: &run_variants,
            vocabulary: dialect.vocabulary,
            syntax: dialect.status_syntax,
            keywords: tables.status_words.as_ref().map(|words| words.keywords.as_slice()),
        };
        let opening = Opening {
            options: &options,
            dialect,
            build: &build,
            prefix: &prefix,
            extra_flags: &extra_flags,
            given: expectations(&options, &directories, reading)?,
            reading,
        };
        let mut notes = Notes { warnings: &mut warnings, not_understood: &mut not_understood };
        let mut suites = Vec::with_capacity(selected.len());
        let mut missing: Vec<Missing> = Vec::new();
        for (chosen, also) in selected.into_iter().zip(also) {
            let by_group = selectors.iter().all(|one| one.suite != chosen.name || one.from_group);
            if let Some(program) = opening.not_built(&chosen).filter(|_| by_group) {
                missing.push(program);
                continue;
            }
            let also = also.and_then(|name| variants.iter().position(|variant| variant.name == name));
            let mut suite = opening.suite(chosen, also, &test_root, &selectors, &mut notes)?;
            if by_group {
                missing.extend(opening.leave_out_not_built(&mut suite));
            }
            suites.push(suite);
        }
        if suites.is_empty() {
            return Err(OpenError::NothingBuilt {
                missing: missing.iter().map(Missing::to_string).collect(),
            });
        }
        let given = opening.given;
        for suite in &suites {
            not_understood.extend_from_slice(suite.status.own().not_understood());
        }
        warnings.extend_from_slice(&not_understood);

        let holds = |variable: &str| variables.holds(variable);
        let conflicts_of = |variant| Conflicts::new(&tables, dialect.contradictions, variant, holds);
        Ok(Self {
            conflicts: variants.iter().map(|variant| conflicts_of(Some(variant.name.as_str()))).collect(),
            base_conflicts: conflicts_of(None),
            sanitizer_env: sanitizers::environment(&build, &options, dialect),
            base_timeout: base_timeout(&options, &build, &tables, dialect),
            mode_flags: mode_flags(&build, &tables, dialect),
            options,
            dialect,
            detected,
            unsupported,
            has_runner,
            not_understood,
            missing,
            build,
            tables,
            variants,
            selected_variants,
            selectors,
            suites,
            prefix,
            extra_flags,
            extra_d8_flags,
            warnings,
            bases: OnceLock::new(),
            members: Members::default(),
            given,
            directories,
            met_withheld: Mutex::default(),
            cache: Cache::default(),
        })
    }
}

impl Description {
    /// What a tree and its build are, whatever tests are asked for: no suite is looked at.
    ///
    /// # Errors
    /// Whatever is wrong with the build's configuration or the tree's tables.
    pub fn of(mut options: Options) -> Result<Self, OpenError> {
        options.root = normalize(&options.root);
        let ground = Ground::read(&options)?;
        let engine = program(&options, &ground.build, D8);
        Ok(Self {
            build_dir: ground.build.dir.clone(),
            arch: ground.build.arch.clone(),
            mode: ground.build.mode.label().into(),
            detected: ground.build.detected(),
            variants: Vec::new(),
            engine: shown(&engine),
            main_engine: shown(&engine),
            suites: Vec::new(),
            dialect: ground.detected.to_string(),
            assumed: ground.detected.assumed,
        })
    }
}

/// What everything else rests on.
pub struct Ground {
    /// Whose rules hold.
    pub detected: Detected,
    /// The build.
    pub build: Build,
    /// What the tree says of variants, groups and flags.
    pub tables: Tables,
    /// Whether the tree has a runner of its own.
    pub has_runner: bool,
}

impl Ground {
    /// Reads what the options mean.
    ///
    /// # Errors
    /// What is wrong with the build's configuration or the tree's tables.
    pub fn read(options: &Options) -> Result<Self, OpenError> {
        let root = options.root.as_path();
        let has_runner = root.join("tools/testrunner").is_dir() || root.join("tools/run-tests.py").is_file();
        // Of a tree without a runner, the build may say more.
        let config = if has_runner { None } else { config_of(options) };
        let detected = detect(root, config.as_deref());
        if detected.dialect.layout == Layout::Bare && !has_harness(root) {
            return Err(OpenError::NoHarness(root.into()));
        }
        let build = Build::read(options, detected.dialect, detected.newer)?;
        let tables = Tables::read(root, &detected, options.framework)?;
        Ok(Self { detected, build, tables, has_runner })
    }
}

/// What people should know of a tree.
struct Notes<'a> {
    warnings: &'a mut Vec<String>,
    /// In a tree that is newer than what is known.
    not_understood: &'a mut Vec<String>,
}

/// What opening a suite needs to know.
struct Opening<'a> {
    options: &'a Options,
    dialect: &'static Dialect,
    build: &'a Build,
    prefix: &'a [String],
    extra_flags: &'a [String],
    /// `--expectations`
    given: Vec<Arc<EntryFile>>,
    reading: Reading<'a>,
}

impl Opening<'_> {
    fn suite(
        &self,
        chosen: Chosen,
        also: Option<usize>,
        test_root: &Path,
        selectors: &[Selector],
        notes: &mut Notes<'_>,
    ) -> Result<Suite, OpenError> {
        let root = &self.options.root;
        let Chosen { name, rules, own } = chosen;
        let bare = self.dialect.layout == Layout::Bare;
        let dir = Place::new(root, &if bare { root.clone() } else { test_root.join(&name) });
        let of_suite = |(_, selector): &(usize, &Selector)| selector.suite == name;
        let filter = NameFilter::new(selectors.iter().enumerate().filter(of_suite));
        if let Some(config) = own {
            return self.own_suite(name, rules, dir, filter, config, notes.warnings);
        }
        let path = dir.path().join(format!("{name}.status"));
        let bytes = match read(&path) {
            // Nobody's checkout of test262 has one, unless somebody has written down what his engine does.
            Err(error) if bare && error.kind() == io::ErrorKind::NotFound => b"[]".to_vec(),
            bytes => bytes.map_err(|source| OpenError::Read { path: path.clone(), source })?,
        };
        let shown = path.strip_prefix(root).unwrap_or(&path);
        let status = StatusFile::read(shown, &String::from_utf8_lossy(&bytes), self.reading)?;
        let program = self.program(rules.shell);
        let (config, problems) = SuiteConfig::read(dir.path(), root);
        // In trees that are known, what is not read so far is as the built-in tables say.
        if self.reading.variables.allows_unknown() {
            notes.not_understood.extend(problems);
        }
        let how_to_make = match &program {
            Program::Shell(shell) => {
                self.build.how_to_make(Path::new(&shell.resolve(root)), &self.options.root)
            }
            Program::Builtin => String::new(),
        };
        let asking = Asking {
            dir: &dir,
            root,
            program: &program,
            prefix: self.prefix,
            config: &config,
            extra_flags: self.extra_flags,
            seed: self.options.random_seed,
            how_to_make: &how_to_make,
        };
        let listed = list(rules, &asking)?;
        let mut shells: Vec<&String> = listed.iter().filter_map(|test| test.shell.as_ref()).collect();
        shells.sort_unstable();
        shells.dedup();
        let mut test_dirs: Vec<PathBuf> =
            rules.test_dirs.iter().map(|test_dir| dir.path().join(test_dir)).collect();
        test_dirs.sort();
        let host = if bare { Some(self.host(&program)?) } else { None };
        let is_test262 = rules.judging == Judging::Test262;
        let args = |files: &[&str]| files.iter().map(|file| dir.arg_normalized(root, file)).collect();
        Ok(Suite {
            rules,
            test_dirs: test_dirs.iter().map(|test_dir| Place::new(root, test_dir)).collect(),
            walk: WalkRules::new(rules, &config, self.build.has(Property::NoI18n)),
            status: self.expectations(&name, status, Vec::new()),
            name,
            own: None,
            filter,
            programs: shells.into_iter().map(|shell| (shell.clone(), self.program(shell))).collect(),
            listed,
            also,
            additional_variants: config.additional_variants.unwrap_or_default(),
            before: args(rules.before),
            number_fuzzer_file: rules
                .number_fuzzer_file
                .filter(|_| self.options.framework == Framework::NumFuzzer)
                .map(|file| dir.arg_normalized(root, file)),
            after: args(rules.after),
            program,
            flag_tables: if rules.proposals { FlagTables::read(dir.path())? } else { FlagTables::default() },
            source_flags: match config.default_flags.filter(|_| rules.proposals) {
                Some(own) => own,
                None => rules.source_flags.iter().map(|flag| (*flag).into()).collect(),
            },
            feature_flags: if is_test262 { feature_flags(dir.path(), self.dialect)? } else { Vec::new() },
            host,
            features: if bare {
                FeatureFilter::read(root, &self.options.features)?
            } else {
                FeatureFilter::default()
            },
            skipped_features: if is_test262 { skipped_features(dir.path())? } else { Vec::new() },
            local_staging_once: is_test262 && self.dialect.test262.local_staging_once,
            dir,
        })
    }

    /// A suite that its `suite.toml` describes.
    fn own_suite(
        &self,
        name: String,
        rules: &'static SuiteRules,
        dir: Place,
        filter: NameFilter,
        config: (Config, String),
        warnings: &mut Vec<String>,
    ) -> Result<Suite, OpenError> {
        let shell = self.program(D8);
        let build = self.options.shell_dir.as_ref().map(|dir| self.options.root.join(dir));
        let opened = custom::Opening {
            name: &name,
            dir: &dir,
            root: &self.options.root,
            shell: shell.clone(),
            build: build.or_else(|| self.build.dir.clone()),
            prefix: self.prefix,
            reading: self.reading,
        }
        .open(config)?;
        warnings.extend(opened.warnings);
        // An engine that other programs run is needed as well.
        let engine = opened.own.args.has(Hole::Shell).then(|| ("{shell}".to_owned(), shell));
        Ok(Suite {
            rules,
            test_dirs: vec![opened.test_dir],
            walk: WalkRules::default(),
            status: self.expectations(&name, opened.status, opened.more),
            filter,
            programs: engine.into_iter().collect(),
            listed: opened.listed,
            also: None,
            additional_variants: Vec::new(),
            before: Vec::new(),
            number_fuzzer_file: None,
            after: Vec::new(),
            program: opened.program.unwrap_or(Program::Builtin),
            flag_tables: FlagTables::default(),
            source_flags: Vec::new(),
            feature_flags: Vec::new(),
            skipped_features: Vec::new(),
            local_staging_once: false,
            own: Some(opened.own),
            host: None,
            features: FeatureFilter::default(),
            name,
            dir,
        })
    }

    /// A suite's own status file, with what its directory and the run put above it.
    fn expectations(&self, suite: &str, status: StatusFile, more: Vec<EntryFile>) -> Expectations {
        let files = more.into_iter().map(Arc::new).chain(self.given.iter().map(Arc::clone));
        Expectations::new(status, files.map(|file| Layer::new(&file, suite)).collect())
    }

    /// What the shell of a bare test262 is told.
    fn host(&self, program: &Program) -> Result<Host, OpenError> {
        Ok(match (&self.options.host, program) {
            (Some(name), _) => Host::named(name)?,
            (None, Program::Builtin) => Host::builtin()?,
            (None, Program::Shell(shell)) => Host::of_shell(Path::new(&shell.relative()))?,
        })
    }

    /// What runs a suite.
    fn program(&self, shell: &str) -> Program {
        program(self.options, self.build, shell)
    }

    /// The program of a suite that the build lacks and that is needed, where there is a build.
    fn not_built(&self, chosen: &Chosen) -> Option<Missing> {
        let needs_one = chosen.own.is_none()
            && self.build.dir.is_some()
            && match chosen.rules.listing {
                Listing::Fuzzer { .. } | Listing::Nothing => false,
                Listing::Binary(_) => true,
                _ => !self.options.lists,
            };
        needs_one.then(|| self.missing(&chosen.name, chosen.rules.shell)).flatten()
    }

    /// Leaves out the tests of a suite whose own programs the build lacks, and tells which.
    fn leave_out_not_built(&self, suite: &mut Suite) -> Vec<Missing> {
        if suite.own.is_some() || self.build.dir.is_none() || self.options.lists {
            return Vec::new();
        }
        let shells: BTreeSet<String> = suite.listed.iter().filter_map(|test| test.shell.clone()).collect();
        let gone: Vec<(String, Missing)> = shells
            .into_iter()
            .filter_map(|shell| Some((shell.clone(), self.missing(&suite.name, &shell)?)))
            .collect();
        let is_gone = |shell: &String| gone.iter().any(|(gone, _)| gone == shell);
        suite.listed.retain(|test: &ListedTest| !test.shell.as_ref().is_some_and(is_gone));
        suite.programs.retain(|(shell, _)| !is_gone(shell));
        gone.into_iter().map(|(_, missing)| missing).collect()
    }

    /// What is missing, if the program of a shell is not there.
    fn missing(&self, suite: &str, shell: &str) -> Option<Missing> {
        let Program::Shell(path) = self.program(shell) else { return None };
        let there = PathBuf::from(path.resolve(&self.options.root)).exists();
        // What is no file of the build's is no target of it.
        (!there && shell != PYTHON).then(|| Missing {
            suite: suite.to_owned(),
            program: path.relative(),
            target: shell.to_owned(),
            dir: self.build_dir(),
        })
    }

    /// The build's directory as seen from the root.
    fn build_dir(&self) -> String {
        let dir = self.build.dir.as_deref().unwrap_or(Path::new(""));
        dir.strip_prefix(&self.options.root).unwrap_or(dir).display().to_string()
    }
}

/// What runs a suite. An engine that was chosen stands in for `d8`, and for no other shell.
pub fn program(options: &Options, build: &Build, shell: &str) -> Program {
    let root = &options.root;
    if shell == PYTHON {
        return Program::Shell(Arg::Text(on_path(shell)));
    }
    let is_d8 = shell == D8;
    let dir = match (&options.shell, &options.shell_dir) {
        (Shell::Builtin, _) if is_d8 => return Program::Builtin,
        (Shell::Path(path), _) if is_d8 => {
            return Program::Shell(Arg::below(root, &normalize(&root.join(path))));
        }
        (_, Some(dir)) => Some(root.join(dir)),
        (_, None) => build.dir.clone(),
    };
    match dir {
        Some(dir) => Program::Shell(Arg::below(root, &normalize(&dir.join(shell)))),
        None if is_d8 => Program::Builtin,
        None => Program::Shell(Arg::Text(shell.into())),
    }
}

/// Whether a build runs in the default variant only. Whatever was asked for; but V8 3 to 5 let sanitizers' builds run
/// in variants that were named.
fn is_restricted(build: &Build, options: &Options, dialect: &Dialect) -> bool {
    let named = !matches!(options.variants.as_deref(), None | Some("exhaustive"));
    match dialect.layout {
        Layout::Configured | Layout::Bare => build.has(Property::Predictable) || build.has(Property::Msan),
        Layout::PerMode => {
            let sanitized = build.has(Property::Msan) || build.has(Property::Tsan);
            build.has(Property::Predictable) || !named && sanitized
        }
    }
}

/// The variant that a suite runs in whether it was asked for or not.
fn also(rules: &SuiteRules, dialect: &Dialect, test_root: &Path, tables: &Tables) -> Option<String> {
    let name = match rules.variants {
        SuiteVariants::And(name) => name,
        SuiteVariants::Default if dialect.default_suites_always => return Some(DEFAULT.into()),
        _ => return None,
    };
    let config = read(&test_root.join(rules.name).join("testcfg.py")).ok()?;
    let says = memchr::memmem::find(&config, format!("\"{name}\"").as_bytes()).is_some();
    (says && tables.variants.iter().any(|variant| variant.name == name)).then(|| name.into())
}

fn names(variants: &[Variant]) -> Vec<&str> {
    variants.iter().map(|variant| variant.name.as_str()).collect()
}

/// `--expectations`
fn expectations(
    options: &Options,
    directories: &BTreeSet<String>,
    reading: Reading<'_>,
) -> Result<Vec<Arc<EntryFile>>, OpenError> {
    let suites: Vec<&str> = directories.iter().map(String::as_str).collect();
    let mut files = Vec::with_capacity(options.expectations.len());
    for path in &options.expectations {
        let path = options.root.join(path);
        let bytes = read(&path).map_err(|e| OpenError::Option {
            option: "--expectations",
            value: path.display().to_string(),
            reason: format!("cannot read it: {e}"),
        })?;
        let shown = path.strip_prefix(&options.root).unwrap_or(&path);
        files.push(Arc::new(given(shown, &String::from_utf8_lossy(&bytes), &suites, reading)?));
    }
    Ok(files)
}
