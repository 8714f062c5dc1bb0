//! Reports what a run leaves out and why, so that nobody takes a part of the tests for all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flotilla_suites::{Products, Unmatched};

use crate::report::Console;
use crate::runner::data;
use crate::runner::error::AppError;
use crate::runner::settings::{OnMissing, Settings};

/// `--download-data`: prints how to fetch the data that suites lack.
pub fn report_missing_data(root: &Path, settings: &Settings) {
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

/// The data that the selected suites of V8 lack.
pub fn lacking_data(tree: &Products, root: &Path, settings: &Settings) -> Vec<data::Lacking> {
    if tree.is_bare_test262() {
        return Vec::new();
    }
    let suites: BTreeSet<String> = tree.descriptions().into_iter().flat_map(|tree| tree.suites).collect();
    data::missing(root, &test_root(root, settings), |suite| suites.contains(suite))
}

/// Warns of suites that lack data: they have fewer tests, or none.
///
/// # Errors
/// [`AppError::NoData`] if test262 would run without its data. V8's runner exits with 5 in this case, too.
pub fn needs_data(lacking: &[data::Lacking], lists: bool) -> Result<(), AppError> {
    for data in lacking {
        if data.suite == flotilla_suites::TEST262 && !lists {
            return Err(AppError::NoData(data.line.clone()));
        }
        notice!("runner: warning: {}", data.line);
    }
    Ok(())
}

/// Prints the tree's warnings, and the programs that are not built.
pub fn before_run(tree: &Products) {
    for warning in tree.warnings() {
        notice!("runner: warning: {warning}");
    }
    for missing in tree.missing() {
        notice!("runner: left out: {missing}");
    }
}

/// Prints, after the summary, what did not run. Returns the exit code: `code`, which is that of the tests, but at least
/// 1 if tests were left out.
pub fn after_run(tree: &Products, settings: &Settings, coverage_dir: Option<&Path>, mut code: u8) -> u8 {
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
    let message = match tree.not_understood() {
        0 => None,
        1 => Some("1 thing in this tree was not understood: see the warning.".to_owned()),
        many => Some(format!("{many} things in this tree were not understood: see the warnings.")),
    };
    if let Some(message) = message {
        Console::new().line(&message);
    }
    for (reason, tests) in tree.withheld_by_host() {
        let tests = if tests == 1 { "1 test".to_owned() } else { format!("{tests} tests") };
        notice!("runner: left out: {tests}: {reason}");
    }
    if let Some(dir) = coverage_dir {
        let dir = dir.display();
        notice!(
            "runner: coverage is in {dir}; tools/sanitizers/sancov_merger.py --coverage-dir={dir} merges it"
        );
    }
    code
}

/// The message for a selector without tests: `no test matches 'mjsunit/marc'; did you mean 'mjsunit/mark'?`
pub fn no_test(unmatched: &Unmatched) -> String {
    let Unmatched { selector, nearest } = unmatched;
    let hint = nearest.as_ref().map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default();
    format!("no test matches '{selector}'{hint}")
}
