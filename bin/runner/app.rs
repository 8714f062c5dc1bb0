//! From the command line to an exit code.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use flotilla_messages::{Cases, history_key};
use flotilla_suites::{Description, Options};

use crate::report::Console;
use crate::runner::again::{self, Deadline, SelectedCases};
use crate::runner::cli::Cli;
use crate::runner::config::{self, RunnerConfig, Sources};
use crate::runner::error::AppError;
use crate::runner::history::{self, History};
use crate::runner::opening::{describe, open, options_of_run, root};
use crate::runner::overview::Asked;
use crate::runner::run::{self, Run};
use crate::runner::settings::{self, ListFormat, Settings};
use crate::runner::test_id::Name;
use crate::runner::{left_out, list, overview};

/// Runs the command line. Returns the exit code.
pub fn main(cli: Cli) -> u8 {
    match execute(cli) {
        Ok(code) => code,
        // The reader of a list has closed the pipe (`runner --list | head`): not an error.
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
        left_out::report_missing_data(&root, &settings);
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

/// The settings: those of the command line (taken out of `cli`), merged with the environment and `runner.toml`.
pub fn settings(cli: &mut Cli, root: &Path) -> Result<Settings, AppError> {
    let sources = Sources {
        root,
        file: !cli.no_config,
        profile: cli.profile.as_deref(),
        variables: std::env::vars_os().collect(),
        options: std::mem::take(&mut cli.settings),
    };
    let RunnerConfig { mut settings, warnings } = config::load(sources)?;
    for warning in warnings {
        notice!("runner: warning: {warning}");
    }
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

/// Lists the tests, or runs them once. Each round opens the tree again, so that it has its own seed and sees what
/// changed meanwhile.
fn once(cli: &Cli, settings: &Settings, root: &Path, deadline: Deadline, round: u64) -> Result<u8, AppError> {
    let options = options_of_run(cli, settings, root)?;
    let choices = cli.builds.choose(settings, root)?;
    // The names of an earlier run's tests are known, so that no other suite is read.
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
        left_out::before_run(&tree);
    }
    // The history is read while the suites are listed.
    let history =
        (!cli.lists() && !settings.no_history).then(|| History::open(&tree, root, settings)).flatten();
    let lacking = left_out::lacking_data(&tree, root, settings);
    let unmatched = tree.unmatched();
    if !unmatched.is_empty() {
        let why = lacking.iter().map(|data| data.line.clone());
        let lines: Vec<String> = unmatched.iter().map(left_out::no_test).chain(why).collect();
        return Err(AppError::Unmatched(lines.join("\nrunner: ")));
    }
    if round == 1 {
        left_out::needs_data(&lacking, cli.lists())?;
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
            for missing in again::missing_tests(&*cases, ids) {
                notice!("runner: warning: {missing} failed the last time and is not among the tests now");
            }
        }
        let message = match keys.len() {
            1 => "One test failed or was flaky the last time; no other runs.".to_owned(),
            many => format!("{many} tests failed or were flaky the last time; no others run."),
        };
        Console::new().line(&message);
        cases = Arc::new(SelectedCases { cases, keys });
    }
    tree.check_engines()?;
    let first = round == 1;
    if first {
        overview::warn_of_seeds(&tree);
    }
    let asked = Asked {
        rules: cli.verbose || cli.report,
        forecast: cli.report && first,
        unused: cli.warn_unused && first,
    };
    let code = run::run(Run {
        header: overview::header(&tree, asked),
        shows_header: first,
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
    Ok(left_out::after_run(&tree, settings, options.coverage_dir.as_deref(), code))
}

const NOTHING_FAILED: &str = "Nothing failed the last time: there is nothing to run.";

/// The full names (`suite/name`) of these tests, each once.
fn names(ids: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = ids.iter().map(|id| Name::of(id).path).collect();
    names.into_iter().map(String::from).collect()
}

/// The ids of the tests that failed or were flaky the last time; an error if no earlier run of this configuration is
/// known.
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
