//! A bare checkout of tc39/test262: one suite, one variant, no flags of anybody's.

use super::versions::{TEST262, V9_2};
use super::{Dialect, Judging, Layout, Part, SuiteRules, Suites, TERM_GRACE, Timeouts};

/// The suite's name.
pub const SUITE: &str = "test262";

const SUITES: Suites = Suites::new(&[SuiteRules {
    name: SUITE,
    shell_flags: &[],
    test_dirs: &["test"],
    extensions: &[".js"],
    // As test262-harness: any file whose name has this is no test.
    excluded_suffixes: &["_FIXTURE.js"],
    excluded_dirs_without_i18n: &[],
    before: &[],
    judging: Judging::ExitCode,
    ..TEST262
}]);

/// A bare checkout. Its version is in its package.json and means the rules of INTERPRETING.md.
pub const BARE_TEST262: Dialect = Dialect {
    name: "test262",
    order: &[Part::Extra, Part::Files],
    debug_flags: &[],
    release_flags: &[],
    runner_flags: &[],
    gc_stress_flags: &[],
    // As test262-harness.
    timeouts: Timeouts { default: 10.0, ..V9_2.timeouts },
    term_grace: Some(TERM_GRACE),
    suites: &SUITES,
    variants: &[("default", &[])],
    slow_variants: &[],
    aliases: &[
        ("dev", &["default"]),
        ("more", &["default"]),
        ("exhaustive", &["default"]),
        ("extra", &["default"]),
    ],
    layout: Layout::Bare,
    keeps_extra_flags: true,
    passes_seed: false,
    feature_flags: &[],
    ..V9_2
};
