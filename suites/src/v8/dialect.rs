//! What differs between versions of V8's runner, as data: one [`Dialect`] for each version that matters.
//!
//! Each era has a file of its own, with the versions from which its rules hold: `classic` (V8 3.14 to 6.5), `older`
//! (6.6 to 9.1), `versions` (9.2, from which all others are told) and `recent` (9.3 and later). Nothing else compares
//! versions. What a tree states as data comes from the tree itself ([`crate::v8::tables`], [`crate::v8::runner_source`]); here is
//! what trees keep in code, and what to take where a tree says nothing.

mod build_rules;
mod builtin;
mod checkout;
mod classic;
mod detect;
mod older;
mod recent;
mod suite_rules;
mod test262;
mod version;
mod versions;

pub use build_rules::{BuildRules, ConfigKey, ConfigKeys, Dchecks, NoSimd, Property, Simulator};
pub use checkout::{has_harness, looks_like_test262};
pub use detect::{Detected, detect};
pub use suite_rules::{Directives, Judging, Listing, NamedBy, SuiteRules, SuiteVariants, Suites};
pub use test262::SUITE as TEST262;
pub use version::{Since, Version};

#[cfg(test)]
pub use classic::V5_4;
#[cfg(test)]
pub use older::{V7_0, V8_4};
#[cfg(test)]
pub use recent::NEWEST;
#[cfg(test)]
pub use versions::V9_2;

use std::time::Duration;

use flotilla_messages::Arg;

use crate::expectations::{Syntax, Vocabulary};
use crate::kind::TERM_GRACE;
use crate::kit::shard::Sharding;

/// One version's rules.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The version whose rules these are, such as `V8 9.2`.
    pub name: &'static str,
    /// The order of a command line's parts.
    pub order: &'static [Part],
    /// The mode's flags in debug builds.
    pub debug_flags: &'static [&'static str],
    /// Further ones, of builds that have a property (V8 11.1 `_custom_debug_mode`).
    pub debug_flags_of: &'static [(Property, &'static str)],
    /// The mode's flags in release builds.
    pub release_flags: &'static [&'static str],
    /// Flags of the runner itself, behind the mode's.
    pub runner_flags: &'static [&'static str],
    /// The same where the number fuzzer runs the tests.
    pub number_fuzzer_flags: &'static [&'static str],
    /// `--gc-stress`
    pub gc_stress_flags: &'static [&'static str],
    /// Extra flags of builds with AddressSanitizer.
    pub asan_flags: &'static [&'static str],
    /// Whether only tests that d8 runs get them, behind all other extra flags (V8 12.2).
    pub asan_flags_for_d8: bool,
    /// Which tests predictable builds run.
    pub predictable: Predictable,
    /// Extra flags of predictable builds.
    pub predictable_flags: &'static [&'static str],
    /// Extra flags of builds without a snapshot.
    pub no_snapshot_flags: &'static [&'static str],
    /// What is known of a build.
    pub build: BuildRules,
    /// What AddressSanitizer is told in builds whose parts are shared libraries.
    pub asan_options_of_components: &'static [&'static str],
    /// Where the tree's symbolizer is in builds for arm64 that run on arm64, if not where the others are (V8 13.8).
    pub arm64_symbolizer: Option<&'static str>,
    /// How long tests may take.
    pub timeouts: Timeouts,
    /// From SIGTERM to SIGKILL for a test whose time is over (V8 10.6: [`TERM_GRACE`]); `None`: SIGKILL at once.
    pub term_grace: Option<Duration>,
    /// Constants of conditions besides the variants' names, where the tree's `statusfile.py` does not say.
    pub constants: &'static [&'static str],
    /// Variables that are false, whatever variant has their name.
    pub variables: &'static [&'static str],
    /// Variables without a value, unequal to everything.
    pub none_variables: &'static [&'static str],
    /// The suites.
    pub suites: &'static Suites,
    /// The variants with their flags, where the tree has none.
    pub variants: &'static [(&'static str, &'static [&'static str])],
    /// The variants that come first.
    pub slow_variants: &'static [&'static str],
    /// What `--variants` is without the option, and the aliases where the tree has none.
    pub aliases: &'static [(&'static str, &'static [&'static str])],
    /// How flags that contradict each other are told.
    pub contradictions: Contradictions,
    /// Whether a test marked HEAVY counts as marked SLOW, too (V8 9.3 to 12.0).
    pub heavy_is_slow: bool,
    /// Whether HEAVY tests come before SLOW ones (V8 12.1).
    pub heavy_first: bool,
    /// Whether outcomes leave tests out before there are variants as well as behind them (until V8 10.4).
    pub filters_before_variants: bool,
    /// Whether a message test's base name ends in `.js` whatever its file is called.
    pub message_basename_is_js: bool,
    /// What a message test's template can say.
    pub templates: Templates,
    /// Whether a test of webkit passes that prints nothing and ends well (V8 10.4).
    pub blank_webkit_passes: bool,
    /// Whether the judge of inspector looks at the exit code; that of webkit always does.
    pub lines_exit_code_counts: bool,
    /// Whether they leave out lines that begin `WARNING: linker:`.
    pub skip_linker_warnings: bool,
    /// Whether they leave out lines that begin `###`.
    pub lines_skip_hashes: bool,
    /// Whether the judge of message looks at the exit code.
    pub template_exit_code_counts: bool,
    /// V8's own suite test262.
    pub test262: Test262Rules,
    /// Where builds lie, and what is known of them.
    pub layout: Layout,
    /// The words of status files, where the tree's `statusfile.py` does not say.
    pub vocabulary: Vocabulary,
    /// How they are written.
    pub status_syntax: Syntax,
    /// Whether SLOW tests are skipped.
    pub skips_slow: bool,
    /// Whether flags in sources can be quoted as for a shell.
    pub quoted_flags: bool,
    /// Whether [`SuiteRules::removed_flags`] stay where `--extra-flags` says them.
    pub keeps_extra_flags: bool,
    /// How tests are divided among shards.
    pub sharding: Sharding,
    /// Whether tests are told `--random-seed=`.
    pub passes_seed: bool,
    /// Whether the tests of suites that run in the variant `default` only do so even if it is not selected.
    pub default_suites_always: bool,
    /// test262: flags for features, where the tree's `testcfg.py` has none.
    pub feature_flags: &'static [(&'static str, &'static str)],
    /// Whether a test that fails and passes when it is run again makes the run fail (V8 12.0 testproc/progress.py), unless
    /// `--flaky` says otherwise.
    pub flaky_fails: bool,
    /// Whether `test_schedule.log` and `memory_stats.log` are written beside `--json-test-results` (V8 12.0 base_runner.py).
    pub writes_logs: bool,
}

/// A part of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The files, the test last or nearly so.
    Files,
    /// `--random-seed=`
    Seed,
    /// The flags of the build's mode and of the runner.
    Mode,
    /// `--extra-flags` and what options add to them.
    Extra,
    /// The variant's flags.
    Variant,
    /// Flags from the source's `// Flags:`.
    Source,
    /// The suite's flags.
    Suite,
    /// Flags from status files.
    Status,
}

/// Which tests predictable builds run, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictable {
    /// All; a test without a hash of its allocations is as predictable as another (until V8 6.5).
    All,
    /// Those that are not expected to fail (V8 6.6 to 7.0).
    Positive,
    /// Of these, what the shell runs (V8 7.1).
    PositiveOnD8,
}

/// How flags that contradict each other are told (V8 `objects/testcase.py`, `expected_outcomes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradictions {
    /// Whether words that do not begin with `--` are no flags, and whether a flag contradicts its own negation (V8 9.3).
    pub negations: bool,
    /// Whether a flag of the test that is the very extra flag it is incompatible with contradicts nothing (V8 12.7).
    pub same_flag_agrees: bool,
    /// Whether all flags of the command line count rather than those of the file, and V8's options that switch off its
    /// own check are heeded (V8 13.2).
    pub whole_command: bool,
}

/// What the template of a message test can say, and what is left out of the output (V8 `outproc/message.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Templates {
    /// `{ADDRESS}` is an address (V8 11.6).
    pub addresses: bool,
    /// `{NUMBER}` may be negative (V8 13.5).
    pub negative_numbers: bool,
    /// Lines of output that do not count.
    pub ignored_lines: &'static [&'static str],
}

/// V8's own suite test262 (`test/test262/testcfg.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test262Rules {
    /// Whether a test with the flag `raw` gets no harness (V8 10.9).
    pub raw_has_no_harness: bool,
    /// The harness file of tests with the flag `async` (V8 11.3).
    pub async_file: Option<&'static str>,
    /// That of tests with the feature `source-phase-imports` (V8 12.9).
    pub module_source_file: Option<&'static str>,
    /// Whether an entry of FEATURE_FLAGS can be several flags (V8 11.4).
    pub splits_feature_flags: bool,
    /// Whether an asynchronous test must say that it is complete (V8 11.8).
    pub async_must_complete: bool,
    /// Whether a test of `staging` that V8 has a version of itself is listed once (V8 12.7).
    pub local_staging_once: bool,
}

/// Seconds and factors.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Where nobody says otherwise (`--timeout`).
    pub default: f64,
    /// Debug builds.
    pub debug: f64,
    /// Slow architectures.
    pub slow_arch: f64,
    /// Which those are, where the tree has no SLOW_ARCHS.
    pub slow_archs: &'static [&'static str],
    /// Factors of builds for which a status variable is true, where the tree does not say. [`SANITIZED`] stands for any
    /// sanitizer.
    pub builds: &'static [(&'static str, f64)],
    /// Words of the command line that each multiply the time.
    pub words: &'static [(&'static str, f64)],
    /// Whether they count where the test's source says them.
    pub words_in_source: bool,
    /// Tests marked SLOW.
    pub slow: f64,
    /// All tests.
    pub always: f64,
}

impl Timeouts {
    /// `seconds` with the factors of the words in a command line; `source`: the flags that the test's source says.
    pub fn with_words(&self, mut seconds: f64, args: &[Arg], source: &[String]) -> f64 {
        for (word, factor) in self.words {
            let said = args.iter().filter(|arg| matches!(arg, Arg::Text(text) if text == word)).count();
            // A word that the source says as well stands there once more.
            let in_source = || source.iter().any(|flag| flag == word);
            let counts = self.words_in_source || said > usize::from(in_source());
            if said > 0 && counts {
                seconds *= factor;
            }
        }
        seconds
    }
}

/// What V8 calls builds with any sanitizer where it has factors for the time that tests may take.
pub const SANITIZED: &str = "use_sanitizer";

/// Where builds lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One in `--outdir` or its `build`, which says what it is in `v8_build_config.json`.
    Configured,
    /// The same, or one in `OUTDIR/ARCH.MODE`.
    PerMode,
    /// There are none: the tree is one suite and nothing else.
    Bare,
}
