//! `runner history`: shows the history of earlier runs. It only reads the file, so that no run has to wait.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};

use chrono::{DateTime, Local, SecondsFormat, Utc};
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use flotilla_actors::history::{DatabaseError, HistoryReader, KeptTest, Record};
use flotilla_messages::Outcome;
use flotilla_suites::{Options, Wanted};
use serde::Serialize;

use crate::runner::app;
use crate::runner::cli::Cli;
use crate::runner::error::AppError;
use crate::runner::history;
use crate::runner::opening;
use crate::runner::settings::Settings;
use crate::runner::test_id::Name;

options! {
    /// The options of `runner history`.
    #[derive(Debug, Parser)]
    pub(crate) struct HistoryCommand {
        /// What to show: the tests that take longest, flaky tests, or tests whose outcome changed, the latest first.
        [harmless] #[arg(value_name = "slowest|flaky|changed")]
        what: What,

        /// Print one JSON array instead of text.
        [harmless] #[arg(long)]
        json: bool,

        /// Show at most N tests of each configuration; 0: all.
        [harmless] #[arg(short, value_name = "N", default_value_t = 20)]
        n: usize,

        [group] #[command(flatten)]
        run: Cli,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Slowest,
    Flaky,
    Changed,
}

/// The options that `--help` shows: those that choose a tree and a configuration. A run's other options are accepted,
/// but hidden.
const VISIBLE: [&str; 17] = [
    "what",
    "json",
    "n",
    "tests",
    "root",
    "no_config",
    "outdir",
    "arch",
    "mode",
    "arch_and_mode",
    "test_root",
    "shell",
    "shell_dir",
    "isolates",
    "gc_stress",
    "extra_flags",
    "command_prefix",
];

#[derive(Debug, thiserror::Error)]
enum HistoryError {
    #[error(transparent)]
    App(#[from] AppError),
    #[error("cannot read the history: {0}")]
    Database(#[from] DatabaseError),
    #[error("there is no history: no run of this tree was noted in {0}")]
    None(String),
    #[error("nothing is known of this configuration ({wanted}); known: {known}")]
    Configuration { wanted: String, known: String },
    #[error("no earlier run of a test is known that is meant by {0}")]
    NoTests(String),
    #[error("cannot write what is known: {0}")]
    Write(#[from] io::Error),
}

impl HistoryError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::App(error) => error.exit_code(),
            Self::None(_) | Self::NoTests(_) | Self::Configuration { .. } => 2,
            Self::Database(_) | Self::Write(_) => 5,
        }
    }
}

/// Runs the command; the first of `words` is `history`. Returns the exit code.
pub fn main(words: Vec<OsString>) -> u8 {
    let command = HistoryCommand::command()
        .name("runner history")
        .bin_name("runner history")
        .about("Tells of earlier runs of a tree: how long tests take, and what they came to.")
        .after_help(
            "A test is flaky that failed and then passed within one run (--rerun-failures-count), or whose outcome \
             changed twice or more between runs of one and the same engine: once may be due to a change of the test.\n\n\
             All configurations are told of, unless options of a run choose one: --arch, --mode, --shell, --isolates, \
             --gc-stress, --extra-flags and so on, as that run was given them. TESTS are as for a run.\n\
             Exit codes: 0 told, 2 nothing is known or a bad option, 5 the history cannot be read.",
        )
        .mut_args(|arg| {
            let shown = VISIBLE.contains(&arg.get_id().as_str());
            arg.hide(!shown)
        });
    let parsed = HistoryCommand::from_arg_matches(&command.get_matches_from(words));
    let command_line = parsed.unwrap_or_else(|error| error.exit());
    match show(command_line) {
        Ok(()) => 0,
        // The reader has closed the pipe.
        Err(HistoryError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            notice!("runner: {error}");
            error.exit_code()
        }
    }
}

fn show(HistoryCommand { what, json, n, mut run }: HistoryCommand) -> Result<(), HistoryError> {
    let chooses = chooses(&run);
    let root = opening::root(run.root.as_deref(), run.settings.test_root.is_some())?;
    let settings = app::settings(&mut run, &root)?;
    // Opened without tests: the requested ones may no longer be in the tree.
    let options =
        Options { build_with: run.made.variables(), ..opening::options(&root, &settings, Vec::new()) };
    let choices = run.builds.choose(&settings, &root).map_err(AppError::from)?;
    let descriptions = opening::describe(&choices, &options)?;
    let file = history::place(&descriptions, &root);
    let file = file.ok_or_else(|| HistoryError::None("any place".into()))?;
    let reader = HistoryReader::open(&file)?.ok_or_else(|| HistoryError::None(file.display().to_string()))?;
    let mut known = reader.configurations()?;
    if chooses {
        let wanted = history::configuration(&descriptions, &settings);
        if !known.contains(&wanted) {
            let known = if known.is_empty() { "none".into() } else { known.join("; ") };
            return Err(HistoryError::Configuration { wanted, known });
        }
        known.retain(|name| *name == wanted);
    }
    let wanted = Wanted::read(&Options { tests: run.tests.clone(), ..options }).map_err(AppError::from)?;
    let mut matched = BTreeSet::new();
    let mut all = Vec::new();
    for configuration in known {
        let kept = reader.tests(&configuration, |id, record| {
            wanted.takes(Name::of(id).path, |index| {
                matched.insert(index);
            }) && belongs(what, record)
        })?;
        all.push((configuration, sorted(what, kept)));
    }
    let unknown: Vec<String> = wanted
        .typed()
        .filter(|(index, _)| !matched.contains(index))
        .map(|(_, text)| text.to_owned())
        .collect();
    if !unknown.is_empty() {
        return Err(HistoryError::NoTests(unknown.join(", ")));
    }
    let text = if json { as_json(&all, n) } else { as_text(what, &all, n) };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Whether the command line chooses a configuration.
fn chooses(cli: &Cli) -> bool {
    let Settings { arch, mode, shell, isolates, gc_stress, no_harness, command_prefix, extra_flags, .. } =
        &cli.settings;
    let any = [arch, mode, shell, command_prefix].into_iter().any(Option::is_some);
    any || cli.builds.any() || *isolates || *gc_stress || *no_harness || !extra_flags.is_empty()
}

/// Whether a list of this kind has this record.
fn belongs(what: What, record: &Record) -> bool {
    match what {
        What::Slowest => record.mean.millis().is_some(),
        What::Flaky => record.is_flaky(),
        What::Changed => record.last_change > 0,
    }
}

/// Sorts the tests as they are shown. Of two with the same names, only the one that ran last is kept: their ids differ
/// by the variant's number, which depends on the variants of the run.
fn sorted(what: What, mut kept: Vec<KeptTest>) -> Vec<KeptTest> {
    kept.sort_by(|a, b| {
        let names = Name::of(&a.id).cmp(&Name::of(&b.id));
        names.then(b.record.last_run.cmp(&a.record.last_run))
    });
    kept.dedup_by(|next, first| Name::of(&next.id) == Name::of(&first.id));
    kept.sort_by(|a, b| {
        let (a, b) = (&a.record, &b.record);
        match what {
            What::Slowest => {
                b.mean.millis().unwrap_or_default().total_cmp(&a.mean.millis().unwrap_or_default())
            }
            What::Flaky => {
                (b.flaky_since(), b.flaky + b.unexplained).cmp(&(a.flaky_since(), a.flaky + a.unexplained))
            }
            What::Changed => b.last_change.cmp(&a.last_change),
        }
    });
    kept
}

fn as_text(what: What, all: &[(String, Vec<KeptTest>)], n: usize) -> String {
    let mut text = String::new();
    for (configuration, kept) in all {
        text.push_str(&format!("{configuration}:\n"));
        if kept.is_empty() {
            text.push_str(match what {
                What::Slowest => "  no test took any time\n",
                What::Flaky => "  no test is known to be flaky\n",
                What::Changed => "  no outcome has changed\n",
            });
        }
        for one in kept.iter().take(limit(n)) {
            text.push_str(&format!("  {}\n", line(what, one)));
        }
        if kept.len() > limit(n) {
            text.push_str(&format!("  ... and {} more (-n 0: all)\n", kept.len() - limit(n)));
        }
    }
    text
}

fn limit(n: usize) -> usize {
    if n == 0 { usize::MAX } else { n }
}

fn line(what: What, KeptTest { id, record }: &KeptTest) -> String {
    let name = Name::of(id).shown();
    let unexpected = if record.last.as_expected { "" } else { ", unexpected" };
    let runs = if record.runs == 1 { "1 run".to_owned() } else { format!("{} runs", record.runs) };
    match what {
        What::Slowest => {
            let seconds = record.mean.millis().unwrap_or_default() / 1000.0;
            format!("{seconds:9.3} s  {name}: {}{unexpected} ({runs})", record.last.outcome)
        }
        What::Flaky => {
            let mut reasons = Vec::new();
            if record.flaky > 0 {
                reasons.push(format!("failed and then passed within a run {}", times(record.flaky)));
            }
            if record.unexplained > 0 {
                reasons.push(format!("changed {} on the same engine", times(record.unexplained)));
            }
            let (reasons, failed) = (reasons.join(", "), record.unexpected);
            format!("{}  {name}: {reasons}; {runs}, {failed} unexpected", local(record.flaky_since()))
        }
        What::Changed => {
            let from = record.changed_from.or(record.previous.map(|previous| previous.outcome));
            let from = from.map_or("?", |outcome| outcome.as_str());
            format!("{}  {name}: {from} -> {}{unexpected}", local(record.last_change), record.last.outcome)
        }
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

fn time(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

/// The time in the local time zone.
fn local(seconds: u64) -> String {
    let time = time(seconds).map(|time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string());
    time.unwrap_or_else(|| "?".to_owned())
}

/// One test in JSON. Times are in UTC.
#[derive(Serialize)]
struct Shown<'a> {
    configuration: &'a str,
    name: &'a str,
    variant: &'a str,
    id: &'a str,
    mean_seconds: Option<f32>,
    outcome: &'static str,
    as_expected: bool,
    previous_outcome: Option<&'static str>,
    changed_from: Option<&'static str>,
    runs: u32,
    unexpected: u32,
    changes: u32,
    changes_on_the_same_engine: u32,
    flaky: bool,
    flaky_runs: u32,
    last_run: Option<String>,
    last_change: Option<String>,
    last_flaky: Option<String>,
}

fn as_json(all: &[(String, Vec<KeptTest>)], n: usize) -> String {
    let utc = |seconds: u64| {
        let some = (seconds > 0).then_some(seconds)?;
        Some(time(some)?.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    let mut shown = Vec::new();
    for (configuration, kept) in all {
        for KeptTest { id, record } in kept.iter().take(limit(n)) {
            let name = Name::of(id);
            shown.push(Shown {
                configuration,
                name: name.path,
                variant: name.variant,
                id,
                mean_seconds: record.mean.millis().map(|millis| millis / 1000.0),
                outcome: record.last.outcome.as_str(),
                as_expected: record.last.as_expected,
                previous_outcome: record.previous.map(|previous| previous.outcome.as_str()),
                changed_from: record.changed_from.map(Outcome::as_str),
                runs: record.runs,
                unexpected: record.unexpected,
                changes: record.changes,
                changes_on_the_same_engine: record.unexplained,
                flaky: record.is_flaky(),
                flaky_runs: record.flaky,
                last_run: utc(record.last_run),
                last_change: utc(record.last_change),
                last_flaky: utc(record.flaky_since()),
            });
        }
    }
    // Cannot fail: numbers and strings only.
    let mut text = serde_json::to_string(&shown).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        HistoryCommand::command().debug_assert();
    }

    #[test]
    fn names_are_read_from_identities() {
        let shown = |id: &str| Name::of(id).shown();
        assert_eq!(shown("mjsunit/a.b.VariantProc-stress-0"), "mjsunit/a.b (stress)");
        assert_eq!(shown("test262/a.VariantProc-default-strict-12"), "test262/a (default-strict)");
        assert_eq!(shown("s/a.VariantProc-default-1.Seed-3"), "s/a (default, Seed-3)");
        assert_eq!(shown("s/a.VariantProc-default-1.no-timeout-no_timeout"), "s/a (default, num_fuzzer)");
        assert_eq!(shown("anything"), "anything");
    }
}
