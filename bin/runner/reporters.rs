//! Which reporters a run has.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use flotilla_actors::Reporter;
use flotilla_messages::Cases;
use flotilla_suites::{Products, Repeats as Repeating, proposed};

use crate::report::{
    Bar, CUTOFF, Commands, Compact, Completion, Conformance, Console, Context, Dots, Expectations, Explain,
    Flakiness, Header, Json, Junit, Keep, Plain, Regenerate, Repeats, ReportError, ReportFile, Schedule,
    Stream, SystemMemory, Times, Verbose,
};
use crate::runner::control::Control;
use crate::runner::settings::{Progress, Settings};
use crate::runner::special::Special;

/// The first lines of a run, if it has them.
pub fn of_header(shown: bool) -> Vec<Box<dyn Reporter>> {
    if shown { vec![Box::new(Header::new(Console::new()))] } else { Vec::new() }
}

/// The reporters of runs of a special kind.
pub fn of_special_runs(special: &Special, repeats: Repeating, context: &Context) -> Vec<Box<dyn Reporter>> {
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
    if repeats.is_several() {
        reporters.push(Box::new(Repeats::new(Console::new(), repeats)));
    }
    if special.regenerate_expected_files {
        reporters.push(Box::new(Regenerate::new(Console::new(), context.clone())));
    }
    reporters
}

/// The logs that V8's runner writes from 12.0 on: those that were asked for, and those that `by_default` stand beside the
/// JSON results.
///
/// # Errors
/// [`ReportError`] when a log cannot be written.
pub fn of_logs(
    settings: &Settings,
    control: &Control,
    by_default: bool,
) -> Result<Vec<Box<dyn Reporter>>, ReportError> {
    let beside = |name: &str| {
        let results = settings.json_test_results.as_ref().filter(|_| by_default)?;
        // Beside /dev/stdout is no place for a log.
        let is_special = results.metadata().is_ok_and(|meta| !meta.is_file());
        (!is_special).then(|| results.with_file_name(name))
    };
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
    if let Some(path) = control.log_test_schedule.clone().or_else(|| beside("test_schedule.log")) {
        reporters.push(Box::new(Schedule::create(&path)?));
    }
    // V8 leaves this one out where it has no psutil.
    let memory = control.log_system_memory.clone();
    if let Some(path) = memory.or_else(|| beside("memory_stats.log").filter(|_| SystemMemory::is_known())) {
        reporters.push(Box::new(SystemMemory::create(&path)?));
    }
    Ok(reporters)
}

/// What a bare checkout of test262 is summed up in.
///
/// # Errors
/// [`ReportError`] when `--conformance` cannot be written.
pub fn of_test262(
    tree: &Arc<Products>,
    root: &Path,
    file: Option<&Path>,
) -> Result<Option<Box<dyn Reporter>>, ReportError> {
    if !tree.is_bare_test262() {
        return Ok(None);
    }
    let file = file.map(ReportFile::check).transpose()?;
    // Without the list all features that are not known count as newer.
    let features = std::fs::read_to_string(root.join("features.txt")).unwrap_or_default();
    let tree = Arc::clone(tree);
    let lookup = Box::new(move |id| tree.labels(id));
    Ok(Some(Box::new(Conformance::new(Console::new(), file, lookup, proposed(&features)))))
}

/// The reporters these settings ask for.
///
/// # Errors
/// [`ReportError`] when a report's file cannot be written: better known before the run than after it.
pub fn reporters(
    settings: &Settings,
    control: &Control,
    verbose: bool,
    context: &Context,
    cases: Arc<dyn Cases>,
) -> Result<Vec<Box<dyn Reporter>>, ReportError> {
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
    if settings.explain {
        reporters.push(Box::new(Explain::new(Console::new(), Arc::clone(&cases))));
    }
    if verbose {
        reporters.push(Box::new(Commands::new(Console::new(), context.clone(), cases)));
    }
    let terminal = io::stdout().is_terminal();
    // A bar would be torn apart by a line for each test.
    let default = if terminal && !settings.explain { Progress::Bar } else { Progress::Plain };
    let context = || context.clone();
    reporters.push(match settings.progress.unwrap_or(default) {
        // Away from a terminal a bar would draw nothing at all.
        Progress::Bar if terminal => Box::new(Bar::new(Console::new(), context())),
        Progress::Bar | Progress::Plain => Box::new(Plain::new(Console::new(), context())),
        Progress::Mono => Box::new(Compact::new(Console::monochrome(), context())),
        Progress::Color => Box::new(Compact::new(Console::colored(), context())),
        Progress::Dots => Box::new(Dots::new(Console::new(), context())),
        Progress::Verbose => Box::new(Verbose::new(Console::new(), context(), false)),
        Progress::Ci => Box::new(Verbose::new(Console::new(), context(), true)),
        Progress::Stream => Box::new(Stream::new(Console::new())),
    });
    if let Some(dir) = &context().kept {
        reporters.push(Box::new(Keep::new(Console::new(), context(), dir.clone())?));
    }
    let cutoff = settings.slow_tests_cutoff.unwrap_or(CUTOFF);
    if settings.time {
        reporters.push(Box::new(Times::new(Console::new(), context(), cutoff)));
    }
    if let Some(path) = &settings.json_test_results {
        reporters.push(Box::new(Json::new(ReportFile::check(path)?, context(), cutoff)));
    }
    if let Some(path) = &control.flakiness_results {
        reporters.push(Box::new(Flakiness::new(ReportFile::check(path)?)));
    }
    if let Some(path) = &control.ci_test_completion {
        reporters.push(Box::new(Completion::open(path)?));
    }
    if let Some(path) = &settings.write_expectations {
        reporters.push(Box::new(Expectations::new(ReportFile::check(path)?)));
    }
    if let Some(path) = &settings.junitout {
        let name = settings.junittestsuite.as_deref().unwrap_or("v8tests");
        reporters.push(Box::new(Junit::new(ReportFile::check(path)?, name, context())));
    }
    Ok(reporters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(results: &Path, by_default: bool) -> usize {
        let settings = Settings { json_test_results: Some(results.to_owned()), ..Settings::default() };
        of_logs(&settings, &Control::default(), by_default).unwrap().len()
    }

    #[test]
    fn logs_stand_beside_the_results_where_the_tree_has_them() {
        let dir = tempfile::tempdir().unwrap();
        let results = dir.path().join("r.json");
        assert_eq!(logs(&results, false), 0);
        let all = 1 + usize::from(SystemMemory::is_known());
        assert_eq!(logs(&results, true), all);
        assert!(dir.path().join("test_schedule.log").is_file());
        assert_eq!(dir.path().join("memory_stats.log").is_file(), all == 2);
        assert_eq!(logs(Path::new("/dev/null"), true), 0, "not in /dev");
    }
}
