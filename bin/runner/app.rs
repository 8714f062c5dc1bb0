//! From the command line to an exit code.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_actors::history::DatabaseError;
use flotilla_messages::{Cases, history_key};
use flotilla_suites::{
    Description, Filter, Framework, OpenError, Options, Products, ProductsError, Repeats, Shard, Shell, Tree,
    Unmatched,
};

use crate::report::Console;
use crate::runner::again::{self, Deadline, Only};
use crate::runner::builds::{self, BuildsError, Choice};
use crate::runner::cli::Cli;
use crate::runner::history::{self, History};
use crate::runner::run::{self, Run};
use crate::runner::settings::{self, ListFormat, OnMissing, Settings};
use crate::runner::special::SpecialError;
use crate::runner::test_id::Name;
use crate::runner::{config, data, list, overview};

/// What `--shell` calls the built-in shell.
const BUILTIN: &str = "builtin";

/// What ends the command before any test runs.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("cannot open the tree {}: {source}", path.display())]
    Root { path: PathBuf, source: io::Error },
    #[error(
        "neither this directory nor one above it looks like a test tree (test/SUITE/SUITE.status or suite.toml); \
         name one with --root"
    )]
    NoRoot,
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Engine(#[from] flotilla_suites::EngineError),
    #[error(transparent)]
    Builds(#[from] BuildsError),
    #[error("cannot test {product}: {source}")]
    Product { product: String, source: Box<OpenError> },
    #[error("cannot run these together: {0}")]
    Products(#[from] ProductsError),
    #[error(transparent)]
    Special(#[from] SpecialError),
    #[error("there is no shard {run} of {count} ({from})")]
    Shard { run: String, count: String, from: &'static str },
    #[error("{0}")]
    Unmatched(String),
    #[error("{0}")]
    NoData(String),
    #[error(transparent)]
    Run(#[from] run::Error),
    #[error("cannot write the list: {0}")]
    List(io::Error),
    #[error(
        "cannot tell which tests failed the last time: no earlier run is known of this configuration ({0}); \
         run the tests once without --rerun-failed"
    )]
    NoRuns(String),
    #[error("cannot read the history: {0}")]
    History(#[from] DatabaseError),
    #[error("cannot catch signals: {0}")]
    Signals(#[from] io::Error),
}

impl AppError {
    /// 2 for what the user can mend on the command line, 5 for what is wrong with the tree or the machine.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Open(error) => error.exit_code(),
            Self::Product { source, .. } => source.exit_code(),
            Self::Builds(BuildsError::Missing { .. }) => 5,
            Self::Run(error) => error.exit_code(),
            Self::List(_) | Self::NoData(_) | Self::Engine(_) | Self::History(_) | Self::Signals(_) => 5,
            _ => 2,
        }
    }
}

/// Does what the command line says. Returns the exit code.
pub fn main(cli: Cli) -> u8 {
    match execute(cli) {
        Ok(code) => code,
        // The reader of a list has gone (`runner --list | head`): nothing is wrong.
        Err(AppError::List(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            notice!("runner: {error}");
            error.exit_code()
        }
    }
}

fn execute(mut cli: Cli) -> Result<u8, AppError> {
    let root = root(cli.root.as_deref(), cli.settings.test_root.is_some())?;
    let mut settings = settings(&mut cli, &root)?;
    for note in cli.legacy.notes(cli.framework == Some(settings::Framework::NumFuzzer)) {
        notice!("runner: {note}");
    }
    if cli.legacy.download_data || cli.legacy.download_data_only {
        say_what_is_missing(&root, &settings);
        if cli.legacy.download_data_only {
            return Ok(0);
        }
    }
    let deadline = Deadline::after(settings.total_timeout_sec);
    if !cli.control.until_fail {
        return once(&cli, &settings, &root, deadline, 1);
    }
    settings.exit_after_n_failures = settings.exit_after_n_failures.or(Some(1));
    again::until_fail(deadline, |round| once(&cli, &settings, &root, deadline, round))
}

/// What the command line says, taken out of it, and what `runner.toml` does.
pub fn settings(cli: &mut Cli, root: &Path) -> Result<Settings, AppError> {
    let file = if cli.no_config { Settings::default() } else { config::load(root)? };
    let mut settings = from_here(std::mem::take(&mut cli.settings)).or(file);
    if cli.quickcheck {
        // V8 9.2 standard_runner: --quickcheck.
        (settings.no_variants, settings.exhaustive_variants) = (false, false);
        settings.variants = Some("stress,default".into());
        settings.slow_tests = Some(settings::Filter::Skip);
        settings.pass_fail_tests = Some(settings::Filter::Skip);
    }
    if let Some(variants) = cli.legacy.variants() {
        (settings.no_variants, settings.exhaustive_variants) = (false, false);
        settings.variants = Some(variants);
    }
    if cli.special.is_stress() {
        settings.exit_after_n_failures = settings.exit_after_n_failures.or(Some(0));
    }
    settings.command_prefix = cli.special.command_prefix(root, settings.command_prefix)?;
    Ok(settings)
}

/// Lists the tests, or runs them; in rounds, each with a tree of its own, so that each has its own seed and sees what was
/// changed meanwhile.
fn once(cli: &Cli, settings: &Settings, root: &Path, deadline: Deadline, round: u64) -> Result<u8, AppError> {
    let tests = cli.tests.iter().map(|test| test.strip_prefix("./").unwrap_or(test).to_owned()).collect();
    let lists = cli.list || cli.list_format.is_some() || cli.cat;
    let options = Options {
        lists,
        features: cli.test262.features.clone(),
        framework: match cli.framework {
            None | Some(settings::Framework::Default | settings::Framework::StandardRunner) => {
                Framework::Standard
            }
            Some(settings::Framework::NumFuzzer) => Framework::NumFuzzer,
        },
        build_with: cli.made.variables(),
        novfp3: cli.made.novfp3,
        slow_simulator_tests: cli.made.dont_skip_slow_simulator_tests,
        shard: shard(cli.shard_run.zip(cli.shard_count))?,
        coverage_dir: cli.special.coverage_dir()?,
        ..options(root, settings, tests)
    };
    let choices = cli.builds.choose(settings, root)?;
    // Of an earlier run the names of its tests are known: no other suite is looked at.
    let failed = match cli.control.rerun_failed {
        true => Some(failed_last(&describe(&choices, &options)?, root, settings)?),
        false => None,
    };
    let options = Options { recalled: names(failed.as_deref().unwrap_or_default()), ..options };
    if failed.as_ref().is_some_and(Vec::is_empty) {
        Console::new().line(NOTHING_FAILED);
        return Ok(0);
    }
    let tree = Arc::new(open(&choices, &options, cli.special.repeats(settings.random_seed))?);
    if round == 1 {
        for warning in tree.warnings() {
            notice!("runner: warning: {warning}");
        }
        for missing in tree.missing() {
            notice!("runner: left out: {missing}");
        }
    }
    // It is read while the suites are walked.
    let history = (!lists && !settings.no_history).then(|| History::open(&tree, root, settings)).flatten();
    let lacking = lacking_data(&tree, root, settings);
    let unmatched = tree.unmatched();
    if !unmatched.is_empty() {
        let why = lacking.iter().map(|data| data.line.clone());
        let lines: Vec<String> = unmatched.iter().map(no_test).chain(why).collect();
        return Err(AppError::Unmatched(lines.join("\nrunner: ")));
    }
    if round == 1 {
        needs_data(&lacking, lists)?;
    }
    let only: Option<BTreeSet<u64>> =
        failed.as_ref().map(|ids| ids.iter().map(|id| history_key(id)).collect());
    if cli.list || cli.list_format.is_some() {
        let format = cli.list_format.unwrap_or(ListFormat::Text);
        return list::tests(&tree, format, only.as_ref()).map(|()| 0).map_err(AppError::List);
    }
    if cli.cat {
        return list::sources(&tree).map(|()| 0).map_err(AppError::List);
    }
    let mut cases = Arc::clone(&tree) as Arc<dyn Cases>;
    if let Some(keys) = only {
        if let (Some(ids), true, None) = (&failed, cli.tests.is_empty(), options.shard) {
            for gone in again::gone(&*cases, ids) {
                notice!("runner: warning: {gone} failed the last time and is not among the tests now");
            }
        }
        let said = match keys.len() {
            1 => "One test failed or was flaky the last time; no other runs.".to_owned(),
            many => format!("{many} tests failed or were flaky the last time; no others run."),
        };
        Console::new().line(&said);
        cases = Arc::new(Only { cases, keys });
    }
    tree.check_engines()?;
    if round == 1 {
        overview::header(&tree, cli.verbose || cli.report);
    }
    if cli.report && round == 1 {
        overview::expectations(&tree);
    }
    if cli.warn_unused && round == 1 {
        overview::unused_rules(&tree);
    }
    let mut code = run::run(Run {
        tree: &tree,
        cases,
        root,
        settings,
        control: &cli.control,
        special: &cli.special,
        verbose: cli.verbose,
        kept: cli
            .test262
            .keep_compiled
            .as_ref()
            .map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.clone())),
        conformance: cli.test262.conformance.as_deref(),
        home: cli.home.clone(),
        total_timeout: deadline.left(),
        history,
        shard: options.shard,
        framework: options.framework,
    })?;
    if settings.missing != Some(OnMissing::Skip) {
        let missing = tree.missing().len();
        if missing > 0 {
            code = code.max(1);
            let programs = if missing == 1 { "1 program is" } else { &format!("{missing} programs are") };
            notice!(
                "runner: {programs} not built, and tests were left out: exit code {code} (--missing skip: they do not \
                 count)"
            );
        }
        let unknown = tree.unsupported();
        if !unknown.is_empty() {
            code = code.max(1);
            notice!(
                "runner: nothing is known of {}, and tests were left out: exit code {code} (--missing skip: they do not \
                 count)",
                unknown.join(", ")
            );
        }
    }
    let said = match tree.not_understood() {
        0 => None,
        1 => Some("1 thing in this tree was not understood: see the warning.".to_owned()),
        many => Some(format!("{many} things in this tree were not understood: see the warnings.")),
    };
    if let Some(said) = said {
        Console::new().line(&said);
    }
    for (reason, tests) in tree.withheld_by_host() {
        let tests = if tests == 1 { "1 test".to_owned() } else { format!("{tests} tests") };
        notice!("runner: left out: {tests}: {reason}");
    }
    if let Some(dir) = &options.coverage_dir {
        let dir = dir.display();
        notice!(
            "runner: coverage is in {dir}; tools/sanitizers/sancov_merger.py --coverage-dir={dir} merges it"
        );
    }
    Ok(code)
}

const NOTHING_FAILED: &str = "Nothing failed the last time: there is nothing to run.";

/// The whole names of these tests, each once.
fn names(ids: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = ids.iter().map(|id| Name::of(id).path).collect();
    names.into_iter().map(String::from).collect()
}

/// The ids of the tests that failed the last time, of which something must be known.
fn failed_last(
    descriptions: &[Description],
    root: &Path,
    settings: &Settings,
) -> Result<Vec<String>, AppError> {
    let configuration = history::configuration(descriptions, settings);
    let failed = match history::place(descriptions, root) {
        Some(path) => history::failed_last(&path, &configuration)?,
        None => None,
    };
    failed.ok_or(AppError::NoRuns(configuration))
}

/// What each build is, without a look at any suite.
pub fn describe(choices: &[Choice], options: &Options) -> Result<Vec<Description>, AppError> {
    choices.iter().map(|choice| Ok(Description::of(choice.apply(options))?)).collect()
}

/// Opens the tree for each build.
pub fn open(choices: &[Choice], options: &Options, repeats: Repeats) -> Result<Products, AppError> {
    let mut trees = Vec::with_capacity(choices.len());
    for choice in choices {
        let options = choice.apply(options);
        let tree = Tree::open(options.clone());
        if choices.len() == 1 {
            trees.push(tree?);
            continue;
        }
        let tree =
            tree.map_err(|source| AppError::Product { product: choice.label(), source: Box::new(source) })?;
        builds::check(choice, &tree, &options)?;
        trees.push(tree);
    }
    Ok(Products::new(trees, repeats)?)
}

/// `--download-data`
fn say_what_is_missing(root: &Path, settings: &Settings) {
    let lacking = data::missing(root, &test_root(root, settings), |_| true);
    for data in &lacking {
        notice!("runner: {}", data.line);
    }
    if lacking.is_empty() {
        notice!("runner: no suite here lacks its data");
    }
}

fn test_root(root: &Path, settings: &Settings) -> PathBuf {
    root.join(settings.test_root.as_deref().unwrap_or(Path::new("test")))
}

/// Data that V8's suites among the selected ones lack.
fn lacking_data(tree: &Products, root: &Path, settings: &Settings) -> Vec<data::Lacking> {
    if tree.is_bare_test262() {
        return Vec::new();
    }
    let suites: BTreeSet<String> = tree.descriptions().into_iter().flat_map(|tree| tree.suites).collect();
    data::missing(root, &test_root(root, settings), |suite| suites.contains(suite))
}

/// Without its data, a suite has fewer tests or none: nobody should take them for all. Tests of test262 cannot run without
/// its harness (V8's runner ends with 5, too).
fn needs_data(lacking: &[data::Lacking], lists: bool) -> Result<(), AppError> {
    for data in lacking {
        if data.suite == flotilla_suites::TEST262 && !lists {
            return Err(AppError::NoData(data.line.clone()));
        }
        notice!("runner: warning: {}", data.line);
    }
    Ok(())
}

/// The part of the tests that this run is for. The environment of a sharded bot comes before the options, as in V8.
fn shard(options: Option<(u32, u32)>) -> Result<Option<Shard>, AppError> {
    let variable = |name: &str| std::env::var(name).ok();
    if let (Some(count), Some(index)) = (variable("GTEST_TOTAL_SHARDS"), variable("GTEST_SHARD_INDEX")) {
        let parsed = count.parse().ok().zip(index.parse::<u32>().ok().and_then(|index| index.checked_add(1)));
        let shard = parsed.and_then(|(count, run)| Shard::new(run, count));
        let from = "GTEST_SHARD_INDEX, from 0, and GTEST_TOTAL_SHARDS";
        return shard.map(Some).ok_or(AppError::Shard { run: index, count, from });
    }
    let Some((run, count)) = options else { return Ok(None) };
    let from = "--shard-run, from 1, and --shard-count";
    let none = || AppError::Shard { run: run.to_string(), count: count.to_string(), from };
    Shard::new(run, count).map(Some).ok_or_else(none)
}

/// The paths of the command line, which mean files seen from the current directory; those of `runner.toml` are seen
/// from the root, as `--outdir` always is.
fn from_here(mut settings: Settings) -> Settings {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    settings.test_root = settings.test_root.map(absolute);
    settings.expectations = settings.expectations.into_iter().map(absolute).collect();
    settings.shell_dir = settings.shell_dir.map(absolute);
    // A kind, unless it is a file.
    settings.host = settings.host.map(|host| match Path::new(&host).is_file() {
        true => absolute(host.into()).to_string_lossy().into_owned(),
        false => host,
    });
    settings.shell = settings.shell.map(|shell| match shell.as_str() {
        BUILTIN => shell,
        _ => in_path(&shell).unwrap_or_else(|| absolute(shell.into())).to_string_lossy().into_owned(),
    });
    settings
}

/// The program of a bare name (`--shell qjs`) in PATH, unless a file here has that name.
fn in_path(name: &str) -> Option<PathBuf> {
    if name.contains('/') || Path::new(name).exists() {
        return None;
    }
    which::which(name).ok()
}

/// `no test matches 'mjsunit/marc'; did you mean 'mjsunit/mark'?`
fn no_test(unmatched: &Unmatched) -> String {
    let Unmatched { selector, nearest } = unmatched;
    let hint = nearest.as_ref().map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default();
    format!("no test matches '{selector}'{hint}")
}

/// The tree's root: as given, else found above the current directory; who names the directory of the suites may be in a
/// tree that does not look like one.
pub fn root(given: Option<&Path>, named_suites: bool) -> Result<PathBuf, AppError> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => {
            let here = std::env::current_dir()
                .map_err(|source| AppError::Root { path: PathBuf::from("."), source })?;
            let found = flotilla_suites::find_root(&here);
            found.or(named_suites.then_some(here)).ok_or(AppError::NoRoot)?
        }
    };
    path.canonicalize().map_err(|source| AppError::Root { path, source })
}

pub fn options(root: &Path, settings: &Settings, tests: Vec<String>) -> Options {
    let filter = |filter: Option<settings::Filter>| match filter {
        None | Some(settings::Filter::DontCare) => Filter::DontCare,
        Some(settings::Filter::Run) => Filter::Run,
        Some(settings::Filter::Skip) => Filter::Skip,
    };
    Options {
        root: root.to_owned(),
        test_root: settings.test_root.clone(),
        outdir: settings.outdir.clone().unwrap_or_else(|| "out".into()),
        arch: settings.arch.clone(),
        mode: settings.mode.clone(),
        build_with: Vec::new(),
        here: std::env::current_dir().ok().and_then(|here| here.canonicalize().ok()),
        shard: None,
        tests,
        recalled: Vec::new(),
        variants: settings.chosen_variants(),
        expectations: settings.expectations.clone(),
        extra_flags: settings.extra_flags.clone(),
        command_prefix: settings.command_prefix.clone().unwrap_or_default(),
        random_seed: match settings.random_seed {
            None | Some(0) => i64::from(random_seed()),
            Some(seed) => i64::from(seed),
        },
        timeout: settings.timeout,
        slow_tests: filter(settings.slow_tests),
        pass_fail_tests: filter(settings.pass_fail_tests),
        run_skipped: settings.run_skipped,
        no_sorting: settings.no_sorting,
        no_harness: settings.no_harness,
        isolates: settings.isolates,
        gc_stress: settings.gc_stress,
        random_gc_stress: settings.random_gc_stress,
        lists: false,
        novfp3: false,
        slow_simulator_tests: false,
        coverage_dir: None,
        sanitizer_options: sanitizer_options(),
        shell: match settings.shell.as_deref() {
            None => Shell::FromTree,
            Some(BUILTIN) => Shell::Builtin,
            Some(path) => Shell::Path(path.into()),
        },
        shell_dir: settings.shell_dir.clone(),
        host: settings.host.clone(),
        features: Vec::new(),
        framework: Framework::Standard,
    }
}

/// What the environment tells sanitizers.
fn sanitizer_options() -> BTreeMap<String, String> {
    let variables = ["ASAN_OPTIONS", "MSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"];
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    variables.into_iter().filter_map(|name| Some((name.to_owned(), said(name)?))).collect()
}

/// A seed for the whole run, never 0. The standard library's hasher is seeded by the system.
fn random_seed() -> i32 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::hash::RandomState::new().build_hasher().finish();
    match (random >> 32) as i32 {
        0 => 1,
        seed => seed,
    }
}
