//! From the command line to an exit code.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_actors::history::DatabaseError;
use flotilla_messages::Cases;
use flotilla_suites::{Filter, OpenError, Options, Shard, Shell, Tree, Unmatched};

use crate::again::{self, Deadline, Only};
use crate::cli::{self, Cli, ListFormat, Settings};
use crate::history::{self, History};
use crate::report::Console;
use crate::run::{self, Run};
use crate::{config, list, overview};

/// What `--shell` calls the built-in shell.
const BUILTIN: &str = "builtin";

/// What ends the command before any test runs.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("cannot open the tree {}: {source}", path.display())]
    Root { path: PathBuf, source: io::Error },
    #[error(
        "neither this directory nor one above it looks like a test tree (test/SUITE/SUITE.status); \
         name one with --root"
    )]
    NoRoot,
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Engine(#[from] flotilla_suites::EngineError),
    #[error("the value '{0}' of --arch-and-mode cannot be used: it should be like x64.release")]
    ArchAndMode(String),
    #[error("there is no shard {run} of {count} ({from})")]
    Shard { run: String, count: String, from: &'static str },
    #[error("{0}")]
    Unmatched(String),
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
            Self::Run(error) => error.exit_code(),
            Self::List(_) | Self::Engine(_) | Self::History(_) | Self::Signals(_) => 5,
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
            eprintln!("runner: {error}");
            error.exit_code()
        }
    }
}

fn execute(mut cli: Cli) -> Result<u8, AppError> {
    let root = root(cli.root.as_deref())?;
    let mut settings = settings(&mut cli, &root)?;
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
        settings.slow_tests = Some(cli::Filter::Skip);
        settings.pass_fail_tests = Some(cli::Filter::Skip);
    }
    if let Some(both) = &cli.arch_and_mode {
        let (arch, mode) = both.split_once('.').ok_or_else(|| AppError::ArchAndMode(both.clone()))?;
        (settings.arch, settings.mode) = (Some(arch.to_owned()), Some(mode.to_owned()));
    }
    Ok(settings)
}

/// Lists the tests, or runs them; in rounds, each with a tree of its own, so that each has its own seed and sees what was
/// changed meanwhile.
fn once(cli: &Cli, settings: &Settings, root: &Path, deadline: Deadline, round: u64) -> Result<u8, AppError> {
    let tests = cli.tests.iter().map(|test| test.strip_prefix("./").unwrap_or(test).to_owned()).collect();
    let options = Options {
        build_with: cli.made.variables(),
        shard: shard(cli.shard_run.zip(cli.shard_count))?,
        ..options(root, settings, tests)
    };
    let tree = Arc::new(Tree::open(options)?);
    for warning in tree.warnings().iter().filter(|_| round == 1) {
        eprintln!("runner: warning: {warning}");
    }
    let only_looks = cli.list || cli.list_format.is_some() || cli.cat;
    // It is read while the suites are walked.
    let history =
        (!only_looks && !settings.no_history).then(|| History::open(&tree, root, settings)).flatten();
    let unmatched = tree.unmatched();
    if !unmatched.is_empty() {
        let lines: Vec<String> = unmatched.iter().map(no_test).collect();
        return Err(AppError::Unmatched(lines.join("\nrunner: ")));
    }
    let only = if cli.control.rerun_failed { Some(failed_last(&tree, root, settings)?) } else { None };
    if cli.list || cli.list_format.is_some() {
        let format = cli.list_format.unwrap_or(ListFormat::Text);
        return list::tests(&tree, format, only.as_ref()).map(|()| 0).map_err(AppError::List);
    }
    if cli.cat {
        return list::sources(&tree).map(|()| 0).map_err(AppError::List);
    }
    let mut cases = Arc::clone(&tree) as Arc<dyn Cases>;
    if let Some(keys) = only {
        let said = match keys.len() {
            0 => "Nothing failed the last time: there is nothing to run.".to_owned(),
            1 => "One test failed or was flaky the last time; the others are left out.".to_owned(),
            many => format!("{many} tests failed or were flaky the last time; the others are left out."),
        };
        Console::new().line(&said);
        if keys.is_empty() {
            return Ok(0);
        }
        cases = Arc::new(Only { cases, keys });
    }
    tree.check_engines()?;
    if round == 1 {
        overview::header(&tree);
    }
    if cli.report && round == 1 {
        overview::expectations(&tree);
    }
    if cli.warn_unused && round == 1 {
        overview::unused_rules(&tree);
    }
    Ok(run::run(Run {
        tree: &tree,
        cases,
        root,
        settings,
        control: &cli.control,
        verbose: cli.verbose,
        home: cli.home.clone(),
        total_timeout: deadline.left(),
        history,
    })?)
}

/// The history keys of the tests that failed the last time, of which something must be known.
fn failed_last(tree: &Tree, root: &Path, settings: &Settings) -> Result<BTreeSet<u64>, AppError> {
    let description = tree.description();
    let configuration = history::configuration(&description, settings);
    let failed = match history::place(description.build_dir.as_deref(), root) {
        Some(path) => history::failed_last(&path, &configuration)?,
        None => None,
    };
    failed.ok_or(AppError::NoRuns(configuration))
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
    settings.shell_dir = settings.shell_dir.map(absolute);
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
    let dirs = std::env::var_os("PATH")?;
    std::env::split_paths(&dirs).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// `no test matches 'mjsunit/marc'; did you mean 'mjsunit/mark'?`
fn no_test(unmatched: &Unmatched) -> String {
    let Unmatched { selector, nearest } = unmatched;
    let hint = nearest.as_ref().map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default();
    format!("no test matches '{selector}'{hint}")
}

/// The tree's root: as given, else found above the current directory.
pub fn root(given: Option<&Path>) -> Result<PathBuf, AppError> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => {
            let here = std::env::current_dir()
                .map_err(|source| AppError::Root { path: PathBuf::from("."), source })?;
            flotilla_suites::find_root(&here).ok_or(AppError::NoRoot)?
        }
    };
    path.canonicalize().map_err(|source| AppError::Root { path, source })
}

pub fn options(root: &Path, settings: &Settings, tests: Vec<String>) -> Options {
    let filter = |filter: Option<cli::Filter>| match filter {
        None | Some(cli::Filter::DontCare) => Filter::DontCare,
        Some(cli::Filter::Run) => Filter::Run,
        Some(cli::Filter::Skip) => Filter::Skip,
    };
    Options {
        root: root.to_owned(),
        test_root: settings.test_root.clone(),
        outdir: settings.outdir.clone().unwrap_or_else(|| "out".into()),
        arch: settings.arch.clone(),
        mode: settings.mode.clone(),
        build_with: Vec::new(),
        shard: None,
        tests,
        variants: settings.chosen_variants(),
        extra_flags: settings.extra_flags.clone(),
        command_prefix: settings.command_prefix.clone().unwrap_or_default(),
        random_seed: match settings.random_seed {
            None | Some(0) => i64::from(random_seed()),
            Some(seed) => i64::from(seed),
        },
        timeout: settings.timeout.unwrap_or(60),
        slow_tests: filter(settings.slow_tests),
        pass_fail_tests: filter(settings.pass_fail_tests),
        run_skipped: settings.run_skipped,
        no_sorting: settings.no_sorting,
        no_harness: settings.no_harness,
        isolates: settings.isolates,
        gc_stress: settings.gc_stress,
        shell: match settings.shell.as_deref() {
            None => Shell::FromTree,
            Some(BUILTIN) => Shell::Builtin,
            Some(path) => Shell::Path(path.into()),
        },
        shell_dir: settings.shell_dir.clone(),
    }
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
