//! Opening a tree: everything that can be wrong before any test runs is found here.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Program};

use crate::build::Build;
use crate::choose::{Chosen, Selected, select, select_bare};
use crate::conflict::conflicts;
use crate::dialect::{Dialect, Judging, Layout, SuiteRules, SuiteVariants, detect};
use crate::error::OpenError;
use crate::listed::{Asking, PYTHON, list};
use crate::mode::Mode;
use crate::options::{Options, Shell};
use crate::own::template::Hole;
use crate::own::{self, Config};
use crate::prepare::Cache;
use crate::read::read;
use crate::sanitizers;
use crate::select::{NameFilter, Selector};
use crate::shard::Members;
use crate::status::entries::Layer;
use crate::status::{EntryFile, Expectations, Reading, StatusFile, given};
use crate::subtests::Subtest;
use crate::suite::{Place, Suite};
use crate::tables::{Tables, Variant, feature_flags, skipped_features};
use crate::test262::{self, FeatureFilter, Host};
use crate::text::shlex;
use crate::tree::Tree;
use crate::wasm::proposals;

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
        let runner = root.join("tools/testrunner");
        let (dialect, version) = detect(root);
        if dialect.layout == Layout::Bare && !test262::has_harness(root) {
            return Err(OpenError::NoHarness(root.into()));
        }
        let build = Build::read(&options, dialect)?;
        let tables = Tables::read(root, dialect)?;
        let mut warnings = Vec::new();

        let restricted = is_restricted(&build, &options, dialect);
        let mut variants =
            tables.select(if restricted { Some(DEFAULT) } else { options.variants.as_deref() })?;
        let selected_variants = variants.len();
        if variants.len() > Subtest::MAX_VARIANTS {
            return Err(OpenError::Option {
                option: "--variants",
                value: options.variants.clone().unwrap_or_default(),
                reason: format!("it means more than {} variants", Subtest::MAX_VARIANTS),
            });
        }
        if dialect.layout != Layout::Bare && (options.host.is_some() || !options.features.is_empty()) {
            warnings
                .push("--host and --features are for a checkout of test262 by itself: not looked at".into());
        }
        let unheeded: Vec<&str> =
            options.build_with.iter().map(String::as_str).filter(|with| !build.is(with)).collect();
        if !unheeded.is_empty() && build.is_configured() {
            let said = unheeded.join(", ");
            warnings.push(format!(
                "the build's v8_build_config.json says what it was made with; not looked at: {said}"
            ));
        }
        let extra_flags = extra_flags(&options, &build, &tables, dialect)?;
        let prefix = split("--command-prefix", &options.command_prefix)?;
        let variables = {
            let mut variables = build.variables(&options, &extra_flags, dialect);
            variables.set("ALWAYS", true);
            variables.constants(dialect.constants.iter().copied());
            variables.constants(tables.variants.iter().map(|variant| variant.name.as_str()));
            for name in dialect.variables {
                variables.set(*name, false);
            }
            variables
        };

        let test_root = root.join(options.test_root.as_deref().unwrap_or(Path::new("test")));
        let Selected { selectors, suites: selected, directories } = match dialect.layout {
            Layout::Bare => select_bare(&options, dialect),
            _ => select(&options, &test_root, &tables, &build, dialect, &mut warnings)?,
        };
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
        let mut suites = Vec::with_capacity(selected.len());
        for (chosen, also) in selected.into_iter().zip(also) {
            let also = also.and_then(|name| variants.iter().position(|variant| variant.name == name));
            suites.push(opening.suite(chosen, also, &test_root, &selectors, &mut warnings)?);
        }
        let given = opening.given;
        if build.dir.is_none()
            && options.shell == Shell::FromTree
            && options.shell_dir.is_none()
            && runner.is_dir()
        {
            let outdir = root.join(&options.outdir);
            warnings.push(format!(
                "no build was found in {}; the built-in shell runs the tests",
                outdir.display()
            ));
        }

        let holds = |variable: &str| variables.get(variable).is_some().then(|| variables.is(variable));
        let conflicts_of = |variant| conflicts(&tables, variant, holds, &extra_flags);
        Ok(Self {
            conflicts: variants.iter().map(|variant| conflicts_of(Some(variant.name.as_str()))).collect(),
            base_conflicts: conflicts_of(None),
            sanitizer_env: sanitizers::environment(&build, &options, dialect),
            base_timeout: base_timeout(&options, &build, &tables, dialect),
            mode_flags: {
                let mode =
                    if build.mode.has_debug_flags() { &tables.debug_flags } else { &tables.release_flags };
                let slow = (build.mode == Mode::SlowRelease).then(|| "--enable-slow-asserts".to_owned());
                mode.iter().cloned().chain(slow).chain(tables.runner_flags.iter().cloned()).collect()
            },
            options,
            dialect,
            version,
            build,
            tables,
            variants,
            selected_variants,
            selectors,
            suites,
            prefix,
            extra_flags,
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
        warnings: &mut Vec<String>,
    ) -> Result<Suite, OpenError> {
        let root = &self.options.root;
        let Chosen { name, rules, own } = chosen;
        let bare = self.dialect.layout == Layout::Bare;
        let dir = Place::new(root, &if bare { root.clone() } else { test_root.join(&name) });
        let of_suite = |(_, selector): &(usize, &Selector)| selector.suite == name;
        let filter = NameFilter::new(selectors.iter().enumerate().filter(of_suite));
        if let Some(config) = own {
            return self.own_suite(name, rules, dir, filter, config, warnings);
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
        let asking = Asking {
            dir: &dir,
            root,
            program: &program,
            prefix: self.prefix,
            extra_flags: self.extra_flags,
            seed: self.options.random_seed,
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
            status: self.expectations(&name, status, Vec::new()),
            name,
            own: None,
            filter,
            programs: shells.into_iter().map(|shell| (shell.clone(), self.program(shell))).collect(),
            listed,
            also,
            before: args(rules.before),
            after: args(rules.after),
            program,
            proposals: if rules.source_flags.is_empty() { Vec::new() } else { proposals(dir.path())? },
            feature_flags: if is_test262 { feature_flags(dir.path(), self.dialect)? } else { Vec::new() },
            host,
            features: if bare {
                FeatureFilter::read(root, &self.options.features)?
            } else {
                FeatureFilter::default()
            },
            skipped_features: if is_test262 { skipped_features(dir.path())? } else { Vec::new() },
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
        let opened = own::Opening {
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
            status: self.expectations(&name, opened.status, opened.more),
            filter,
            programs: engine.into_iter().collect(),
            listed: opened.listed,
            also: None,
            before: Vec::new(),
            after: Vec::new(),
            program: opened.program.unwrap_or(Program::Builtin),
            proposals: Vec::new(),
            feature_flags: Vec::new(),
            skipped_features: Vec::new(),
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

    /// What runs a suite. An engine that was chosen stands in for `d8`, and for no other shell.
    fn program(&self, shell: &str) -> Program {
        let root = &self.options.root;
        if shell == PYTHON {
            return Program::Shell(Arg::Text(on_path(shell)));
        }
        let is_d8 = shell == D8;
        let dir = match (&self.options.shell, &self.options.shell_dir) {
            (Shell::Builtin, _) if is_d8 => return Program::Builtin,
            (Shell::Path(path), _) if is_d8 => {
                return Program::Shell(Arg::below(root, &normalize(&root.join(path))));
            }
            (_, Some(dir)) => Some(root.join(dir)),
            (_, None) => self.build.dir.clone(),
        };
        match dir {
            Some(dir) => Program::Shell(Arg::below(root, &normalize(&dir.join(shell)))),
            None if is_d8 => Program::Builtin,
            None => Program::Shell(Arg::Text(shell.into())),
        }
    }
}

/// The path of a program that is found in PATH; its bare name if it is not.
pub fn on_path(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file());
    found.map_or_else(|| program.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Whether a build runs in the default variant only. Whatever was asked for; but V8 3 to 5 let sanitizers' builds run
/// in variants that were named.
fn is_restricted(build: &Build, options: &Options, dialect: &Dialect) -> bool {
    let named = !matches!(options.variants.as_deref(), None | Some("exhaustive"));
    match dialect.layout {
        Layout::Configured | Layout::Bare => build.is("predictable") || build.is("msan"),
        Layout::PerMode => build.is("predictable") || !named && (build.is("msan") || build.is("tsan")),
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

fn split(option: &'static str, value: &str) -> Result<Vec<String>, OpenError> {
    shlex::split(value).map_err(|e| OpenError::Option { option, value: value.into(), reason: e.to_string() })
}

/// `--extra-flags`, and what other options and the build add to them.
fn extra_flags(
    options: &Options,
    build: &Build,
    tables: &Tables,
    dialect: &Dialect,
) -> Result<Vec<String>, OpenError> {
    let mut flags = Vec::new();
    for value in &options.extra_flags {
        flags.extend(split("--extra-flags", value)?);
    }
    if options.gc_stress {
        flags.extend_from_slice(&tables.gc_stress_flags);
    }
    if options.random_gc_stress {
        flags.extend_from_slice(&tables.random_gc_stress_flags);
    }
    if build.is("asan") {
        flags.extend(dialect.asan_flags.iter().map(|flag| String::from(*flag)));
    }
    if options.novfp3 {
        flags.push("--noenable-vfp3".into());
    }
    for (variable, more) in
        [("predictable", dialect.predictable_flags), ("no_snap", dialect.no_snapshot_flags)]
    {
        if build.is(variable) {
            flags.extend(more.iter().map(|flag| String::from(*flag)));
        }
    }
    Ok(flags)
}

/// Seconds, with the factors that all tests of the run share.
fn base_timeout(options: &Options, build: &Build, tables: &Tables, dialect: &Dialect) -> f64 {
    let timeouts = &dialect.timeouts;
    let mut seconds = options.timeout.map_or(timeouts.default, f64::from) * timeouts.always;
    seconds *= build.mode.patience(timeouts.debug);
    if tables.slow_archs.contains(&build.arch) {
        seconds *= timeouts.slow_arch;
    }
    for (variable, factor) in timeouts.builds {
        if build.is(variable) {
            seconds *= factor;
        }
    }
    if build.sanitized() {
        seconds *= timeouts.sanitizer;
    }
    seconds
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
