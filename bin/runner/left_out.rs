//! What a run leaves out, and why: nobody should take a part for all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flotilla_suites::{Products, Unmatched};

use crate::report::Console;
use crate::runner::data;
use crate::runner::error::AppError;
use crate::runner::settings::{OnMissing, Settings};

/// `--download-data`
pub fn say_what_is_missing(root: &Path, settings: &Settings) {
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
pub fn lacking_data(tree: &Products, root: &Path, settings: &Settings) -> Vec<data::Lacking> {
    if tree.is_bare_test262() {
        return Vec::new();
    }
    let suites: BTreeSet<String> = tree.descriptions().into_iter().flat_map(|tree| tree.suites).collect();
    data::missing(root, &test_root(root, settings), |suite| suites.contains(suite))
}

/// Without its data, a suite has fewer tests or none: nobody should take them for all. Tests of test262 cannot run without
/// its harness (V8's runner ends with 5, too).
pub fn needs_data(lacking: &[data::Lacking], lists: bool) -> Result<(), AppError> {
    for data in lacking {
        if data.suite == flotilla_suites::TEST262 && !lists {
            return Err(AppError::NoData(data.line.clone()));
        }
        notice!("runner: warning: {}", data.line);
    }
    Ok(())
}

/// What the tree itself says of tests that are left out, and of what in it is not understood.
pub fn before_run(tree: &Products) {
    for warning in tree.warnings() {
        notice!("runner: warning: {warning}");
    }
    for missing in tree.missing() {
        notice!("runner: left out: {missing}");
    }
}

/// What did not run, behind the summary. Returns the exit code: that of the tests, which was `code`, or 1 where tests were
/// left out.
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
    if let Some(dir) = coverage_dir {
        let dir = dir.display();
        notice!(
            "runner: coverage is in {dir}; tools/sanitizers/sancov_merger.py --coverage-dir={dir} merges it"
        );
    }
    code
}

/// `no test matches 'mjsunit/marc'; did you mean 'mjsunit/mark'?`
pub fn no_test(unmatched: &Unmatched) -> String {
    let Unmatched { selector, nearest } = unmatched;
    let hint = nearest.as_ref().map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default();
    format!("no test matches '{selector}'{hint}")
}
