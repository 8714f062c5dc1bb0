//! Opens a tree as the options ask for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flotilla_suites::{Description, Filter, Framework, Options, Products, Repeats, Shard, Shell, Tree};

use crate::runner::builds::{self, Choice};
use crate::runner::cli::Cli;
use crate::runner::config::BUILTIN;
use crate::runner::error::AppError;
use crate::runner::settings::{self, Settings};

/// The tree's root: as given, else found above the current directory. If the suites' directory is given
/// (`named_suites`), the current directory does not have to look like a tree.
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

/// The options of the tree, for a run.
///
/// # Errors
/// An invalid shard, or a coverage directory that does not exist.
pub fn options_of_run(cli: &Cli, settings: &Settings, root: &Path) -> Result<Options, AppError> {
    let tests = cli.tests.iter().map(|test| test.strip_prefix("./").unwrap_or(test).to_owned()).collect();
    Ok(Options {
        lists: cli.lists(),
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
    })
}

/// The options of the tree that follow from the settings alone, for a run or for another command.
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

/// The sanitizers' options in the environment.
fn sanitizer_options() -> BTreeMap<String, String> {
    let variables = ["ASAN_OPTIONS", "MSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"];
    let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    variables.into_iter().filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
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

/// Describes each build, without reading any suite.
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

/// The shard to run. GoogleTest's variables, which sharded bots set, override the options, as in V8.
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
