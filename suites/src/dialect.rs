//! What differs between versions of V8's runner, as data: one [`Dialect`] for each version that matters.
//!
//! Variants, groups, incompatible flags and some lists of flags come from the tree itself ([`crate::tables`]); here is
//! what the trees keep in code, and what to take where a tree has no tables.

mod builtin;
mod classic;
mod detect;
mod older;
mod own;
mod test262;
mod versions;

pub use classic::{V3_14, V3_20, V3_25, V3_31, V5_0, V5_2, V5_4, V6_3, V6_5};
pub use detect::detect;
pub use older::{V6_8, V7_0, V7_1, V7_2, V7_3, V7_4, V7_5, V7_6, V7_8, V7_9, V8_4, V8_6, V8_8, V9_1};
pub use own::{OWN, OWN_IN_VARIANTS};
pub use test262::BARE_TEST262;
pub use versions::V9_2;

use std::time::Duration;

use crate::binary::Format;
use crate::shard::Sharding;
use crate::status::{Syntax, Vocabulary};

/// What a test whose time is over has from SIGTERM to SIGKILL (V8 10.6 command.py), if anything.
pub const TERM_GRACE: Duration = Duration::from_millis(100);

/// One version's rules.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The version whose rules these are, such as `V8 9.2`.
    pub name: &'static str,
    /// The order of a command line's parts.
    pub order: &'static [Part],
    /// The mode's flags in debug builds.
    pub debug_flags: &'static [&'static str],
    /// The mode's flags in release builds.
    pub release_flags: &'static [&'static str],
    /// Flags of the runner itself, behind the mode's.
    pub runner_flags: &'static [&'static str],
    /// `--gc-stress`
    pub gc_stress_flags: &'static [&'static str],
    /// Extra flags of builds with AddressSanitizer.
    pub asan_flags: &'static [&'static str],
    /// Which tests predictable builds run.
    pub predictable: Predictable,
    /// Extra flags of predictable builds.
    pub predictable_flags: &'static [&'static str],
    /// Extra flags of builds without a snapshot.
    pub no_snapshot_flags: &'static [&'static str],
    /// What a build with checks but without `is_debug` counts as.
    pub dchecks: Dchecks,
    /// How long tests may take.
    pub timeouts: Timeouts,
    /// From SIGTERM to SIGKILL for a test whose time is over (V8 10.6: [`TERM_GRACE`]); `None`: SIGKILL at once.
    pub term_grace: Option<Duration>,
    /// The keys of `v8_build_config.json`.
    pub config: &'static [ConfigKey],
    /// When a run counts as one on a simulator.
    pub simulator: Simulator,
    /// Constants of conditions besides the variants' names.
    pub constants: &'static [&'static str],
    /// Variables that are false, whatever variant has their name.
    pub variables: &'static [&'static str],
    /// The suites.
    pub suites: &'static [SuiteRules],
    /// The variants with their flags, where the tree has none.
    pub variants: &'static [(&'static str, &'static [&'static str])],
    /// The variants that come first.
    pub slow_variants: &'static [&'static str],
    /// What `--variants` is without the option, and the aliases where the tree has none.
    pub aliases: &'static [(&'static str, &'static [&'static str])],
    /// Whether a message test's base name ends in `.js` whatever its file is called.
    pub message_basename_is_js: bool,
    /// Whether the judge of inspector looks at the exit code; that of webkit always does.
    pub lines_exit_code_counts: bool,
    /// Whether they leave out lines that begin `WARNING: linker:`.
    pub skip_linker_warnings: bool,
    /// Whether they leave out lines that begin `###`.
    pub lines_skip_hashes: bool,
    /// Whether the judge of message looks at the exit code.
    pub template_exit_code_counts: bool,
    /// Where builds lie, and what is known of them.
    pub layout: Layout,
    /// The words of status files.
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

/// What `dcheck_always_on` means in builds that are not debug builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dchecks {
    /// Nothing.
    Ignored,
    /// Status files see `mode == debug`.
    StatusOnly,
    /// That, and a mode of its own, `release+dchecks`, with the time of a debug build.
    Mode,
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
    /// Factors of builds for which a status variable is true; sanitizers are in [`Self::sanitizer`].
    pub builds: &'static [(&'static str, f64)],
    /// Builds with any sanitizer.
    pub sanitizer: f64,
    /// Words of the command line that each multiply the time.
    pub words: &'static [(&'static str, f64)],
    /// Whether they count where the test's source says them.
    pub words_in_source: bool,
    /// Tests marked SLOW.
    pub slow: f64,
    /// All tests.
    pub always: f64,
}

/// When a run counts as one on a simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulator {
    /// The build's `target_cpu` is not its `v8_target_cpu`.
    Configured,
    /// The architecture is one of these and not the host's.
    Foreign(&'static [&'static str]),
}

/// A key of `v8_build_config.json`.
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey {
    /// The key.
    pub key: &'static str,
    /// The status variable it gives.
    pub variable: &'static str,
    /// Whether the variable is the key's opposite.
    pub inverted: bool,
    /// What V8's runner prints under "Autodetected" when the variable is true, if anything.
    pub shown: Option<&'static str>,
    /// The variable's value in trees without a build configuration.
    pub unbuilt: bool,
}

/// The rules of one suite.
#[derive(Clone, Copy, Debug)]
pub struct SuiteRules {
    /// The name of the directory they hold for; a suite that no version knows has a name of its own.
    pub name: &'static str,
    /// Which shell runs it.
    pub shell: &'static str,
    /// Flags of the shell before all parts.
    pub shell_flags: &'static [&'static str],
    /// The directories to walk, relative to the suite's.
    pub test_dirs: &'static [&'static str],
    /// Extensions of tests, with the dot. The first one wins where a test exists with several.
    pub extensions: &'static [&'static str],
    /// Files that are no tests, by name, at any depth.
    pub excluded_files: &'static [&'static str],
    /// Directories that are not walked, by name, at any depth.
    pub excluded_dirs: &'static [&'static str],
    /// The same, in builds without internationalization.
    pub excluded_dirs_without_i18n: &'static [&'static str],
    /// Ends of file names that are no tests.
    pub excluded_suffixes: &'static [&'static str],
    /// Files before the test, relative to the suite's directory.
    pub before: &'static [&'static str],
    /// Files behind it.
    pub after: &'static [&'static str],
    /// Whether `// NO HARNESS` and `--no-harness` leave [`Self::before`] out.
    pub harness_optional: bool,
    /// Whether the source's `// Files:` come before [`Self::before`] rather than behind it.
    pub files_first: bool,
    /// Which directives sources may have.
    pub directives: Directives,
    /// The suite's flags.
    pub flags: &'static [&'static str],
    /// Flags that its shell never gets.
    pub removed_flags: &'static [&'static str],
    /// Whether `--isolates` doubles the files.
    pub isolates: bool,
    /// How output is judged.
    pub judging: Judging,
    /// Variables of the environment that tests must not see.
    pub unset_env: &'static [&'static str],
    /// The order of a command line's parts, if it is not the version's.
    pub order: &'static [Part],
    /// How its tests are found.
    pub listing: Listing,
    /// Which variants its tests run in.
    pub variants: SuiteVariants,
    /// The directories that tests are in, of those in a directory to walk; empty: all.
    pub top_dirs: &'static [&'static str],
    /// A file that is loaded before the test from each directory on the way to it, where it is there.
    pub script_of_dirs: Option<&'static str>,
    /// Flags of its tests' sources, where no proposal of the suite says otherwise.
    pub source_flags: &'static [&'static str],
}

/// How the tests of a suite are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Each file is one.
    Files,
    /// `*.pyt` in the suite's directory generate them.
    Templates {
        /// The word that tells the shell to expect an error.
        throws: &'static str,
        /// Whether the error's name follows it (V8 3).
        expectation: bool,
        /// Whether each `*.js` in the directory is a test as well, whose error `preparser.expectation` may say (until
        /// V8 5.0).
        files: bool,
    },
    /// Each file in these directories, for the shell `v8_simple_DIRECTORY_fuzzer`.
    Fuzzer(&'static [&'static str]),
    /// The suite's shell says which there are.
    Binary(Format),
    /// The suite's shell is the one test.
    ShellItself,
    /// Python scripts, whose interpreter runs them, and which run the suite's shell.
    Python,
    /// `shell_test_runner` and what is in `benchmarks`, below `data/src`.
    SimdJs,
    /// Kraken, Octane and SunSpider.
    Benchmarks,
    /// As the suite's `suite.toml` says.
    Own,
}

/// Which variants a suite's tests run in, of those that are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteVariants {
    /// All.
    All,
    /// All, and this one, whether it is selected or not, if the suite's `testcfg.py` names it.
    And(&'static str),
    /// `default`
    Default,
    /// `default` and `turbofan`, with the flags of FAST_VARIANTS.
    Fast,
}

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

/// Which directives a suite's sources may have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Directives {
    /// `// Flags:`
    pub flags: bool,
    /// `// Files:`
    pub files: bool,
    /// `// Environment Variables:`
    pub env: bool,
    /// `// Env: TEST_FILE_NAME`
    pub file_name: bool,
    /// `// MODULE`: puts `--module` before the test.
    pub module: bool,
    /// `META:`: scripts and timeout of web platform tests.
    pub meta: bool,
    /// Whether flags can be quoted as for a shell, where [`Dialect::quoted_flags`] says they cannot.
    pub quoted: bool,
}

/// How a suite's output is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judging {
    /// By the exit code.
    ExitCode,
    /// Against `NAME.out`, a template.
    Template,
    /// Against the lines of `NAME-expected.txt`.
    Lines {
        /// Whether lines of that file that begin with `#` are comments.
        comments: bool,
    },
    /// By test262's frontmatter, as V8 reads it.
    Test262,
    /// By test262's own INTERPRETING.md, on any engine.
    Interpreting,
    /// By the exit code and the word `FAILED!`; tests whose name ends in `-n` must fail.
    Failed,
    /// promises-aplus: by what its runner says; tests whose source says `@negative` must fail.
    Promises,
    /// mkgrokdump: against `tools/v8heapconst.py`.
    GrokDump,
}
