//! Options that both the command line and `runner.toml` have, and their values.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::runner::control::Flaky;

options! {
    /// The options that `runner.toml` may hold, by the same names; `jobs` is -j.
    #[derive(Clone, Debug, Default, PartialEq, Args, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(rename_all = "kebab-case", deny_unknown_fields, default, expecting = "a table")]
    pub struct Settings {
        /// Directory with the build: DIR or DIR/build holds v8_build_config.json; several are separated by commas
        /// [default: out].
        [path] #[arg(long, value_name = "DIR", help_heading = "The tree")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub outdir: Option<PathBuf>,

        /// Architecture to read status files for; must agree with the build if there is one. Several are separated by commas;
        /// each is run in each mode.
        [harmless] #[arg(long, value_name = "ARCH", help_heading = "The tree")]
        pub arch: Option<String>,

        /// Mode of the build, or to read status files for if there is none: debug or release; several are separated by commas.
        [harmless] #[arg(short, long, value_name = "MODE", help_heading = "The tree")]
        pub mode: Option<String>,

        /// Root of the suites [default: test below the root].
        [path] #[arg(long, value_name = "DIR", help_heading = "The tree")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub test_root: Option<PathBuf>,

        /// The engine: builtin, or the path of a shell [default: the tree's, else builtin].
        [program] #[arg(long, value_name = "builtin|PATH", help_heading = "The tree")]
        pub shell: Option<String>,

        /// For a plain test262: the kind of shell, as in conf/hosts, or a host file [default: by the shell's name].
        [program] #[arg(long, value_name = "KIND|FILE", help_heading = "The tree")]
        pub host: Option<String>,

        /// Directory with the engine's programs, if not that of the build.
        [path] #[arg(long, value_name = "DIR", help_heading = "The tree")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub shell_dir: Option<PathBuf>,

        /// Variants and their aliases, separated by commas [default: dev].
        [harmless, clears "no-variants" "exhaustive-variants"]
        #[arg(long, value_name = "LIST", help_heading = "Which tests")]
        pub variants: Option<String>,

        /// The same as --variants=default.
        [harmless, clears "variants" "exhaustive-variants"]
        #[arg(long, alias = "novariants", conflicts_with_all = ["variants", "quickcheck"], help_heading = "Which tests")]
        pub no_variants: bool,

        /// The same as --variants=exhaustive.
        [harmless, clears "variants" "no-variants"]
        #[arg(long, conflicts_with_all = ["variants", "no_variants", "quickcheck"], help_heading = "Which tests")]
        pub exhaustive_variants: bool,

        /// Tests marked SLOW: run only these, skip them, or treat them as others.
        [harmless] #[arg(long, value_name = "run|skip|dontcare", help_heading = "Which tests")]
        pub slow_tests: Option<Filter>,

        /// Tests that may pass or fail: run only these, skip them, or treat them as others.
        [harmless] #[arg(long, value_name = "run|skip|dontcare", help_heading = "Which tests")]
        pub pass_fail_tests: Option<Filter>,

        /// Also run tests that status files skip.
        [harmless] #[arg(long, help_heading = "Which tests")]
        pub run_skipped: bool,

        /// Suites of a group whose programs are not built are left out: fail exits with 1, skip does not [default: fail].
        [harmless] #[arg(long, value_name = "fail|skip", help_heading = "Which tests")]
        pub missing: Option<OnMissing>,

        /// Expectations that override the status files: a status file, TOML or a plain list; may be given several times.
        [path, append] #[arg(long, value_name = "FILE", help_heading = "Which tests")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Vec<PathBuf>"))]
        pub expectations: Vec<PathBuf>,

        /// Flags for every test; may be given several times.
        [program, append]
        #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, help_heading = "How they run")]
        pub extra_flags: Vec<String>,

        /// Words to put before every test's command.
        [program] #[arg(long, value_name = "WORDS", help_heading = "How they run")]
        pub command_prefix: Option<String>,

        /// Seed for every test; 0 chooses one for the run [default: 0].
        [harmless]
        #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "How they run")]
        pub random_seed: Option<i32>,

        /// Timeout of one test in seconds, before factors for modes and variants [default: 60].
        [harmless]
        #[arg(short, long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "How they run")]
        pub timeout: Option<u32>,

        /// How many tests run at once; 0: one per processor [default: 0].
        [harmless] #[arg(short = 'j', value_name = "N", help_heading = "How they run")]
        pub jobs: Option<usize>,

        /// How many tests marked HEAVY run at once.
        [harmless] #[arg(long, value_name = "N", help_heading = "How they run")]
        pub max_heavy_tests: Option<NonZeroUsize>,

        /// End the run after this many unexpected outcomes; 0: never [default: 100].
        [harmless] #[arg(long, value_name = "N", help_heading = "How they run")]
        pub exit_after_n_failures: Option<u64>,

        /// Start tests in the order in which they are found instead of the longest first.
        [harmless] #[arg(long, alias = "nosorting", help_heading = "How they run")]
        pub no_sorting: bool,

        /// End the run after this many seconds; tests that have not run by then are counted.
        [harmless] #[arg(long, value_name = "SECONDS", help_heading = "How they run")]
        pub total_timeout_sec: Option<u32>,

        /// Rerun tests with unexpected outcomes up to this many times; one that then passes is flaky [default: 0].
        [harmless] #[arg(long, value_name = "N", help_heading = "Again and again")]
        pub rerun_failures_count: Option<u32>,

        /// If more tests than this fail, rerun none of them [default: 100].
        [harmless] #[arg(long, value_name = "N", help_heading = "Again and again")]
        pub rerun_failures_max: Option<u64>,

        /// Whether a flaky test makes the run fail [default: as in the tree's own runner: fail since V8 12.0, else pass].
        [harmless] #[arg(long, value_name = "fail|pass", help_heading = "Again and again")]
        pub flaky: Option<Flaky>,

        /// Neither use the history of earlier runs nor record this one.
        [harmless] #[arg(long, help_heading = "How they run")]
        pub no_history: bool,

        /// Leave out the suites' harness files where tests can do without them.
        [harmless] #[arg(long, alias = "noharness", help_heading = "How they run")]
        pub no_harness: bool,

        /// Run each test in two isolates.
        [harmless] #[arg(long, help_heading = "How they run")]
        pub isolates: bool,

        /// Add the flags that stress the garbage collector.
        [harmless] #[arg(long, help_heading = "How they run")]
        pub gc_stress: bool,

        /// Add the flags that stress the garbage collector at random.
        [harmless] #[arg(long, help_heading = "How they run")]
        pub random_gc_stress: bool,

        /// Bytes to keep of each output stream of a test [default: 1 MiB].
        [harmless] #[arg(long, value_name = "BYTES", help_heading = "How they run")]
        pub max_output: Option<usize>,

        /// Run tests on peers as well, and say why if that is not possible [default on Linux, if a peerd answers].
        [network, clears "no-network"]
        #[arg(long, overrides_with = "no_network", help_heading = "On other machines")]
        pub network: bool,

        /// Run all tests on this machine.
        [network, clears "network"]
        #[arg(long, alias = "nonetwork", conflicts_with = "peer", help_heading = "On other machines")]
        pub no_network: bool,

        /// Run tests on this peer as well, from the start; the two machines must trust each other. May be given several times;
        /// other peers are not used then.
        [network, clears "no-network"]
        #[arg(long, value_name = "HOST[:PORT]", help_heading = "On other machines")]
        pub peer: Vec<String>,

        /// How many tests run at once on this machine, if not as many as -j; 0: all run on peers.
        [harmless] #[arg(long, value_name = "N", help_heading = "On other machines")]
        pub local_jobs: Option<usize>,

        /// Ask peers once the run has lasted this many seconds [default: 3; with --peer or --local-jobs=0, 0].
        [harmless] #[arg(long, value_name = "SECONDS", help_heading = "On other machines")]
        pub network_min_seconds: Option<u32>,

        /// Which unexpected results of peers are rerun on this machine before they count [default: auto, the first 20].
        [harmless] #[arg(long, value_name = "auto|all|off", help_heading = "On other machines")]
        pub confirm_failures: Option<Confirm>,

        /// Send this file or directory below the root to peers as well; may be given several times.
        [path, append] #[arg(long, value_name = "PATH", help_heading = "On other machines")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Vec<PathBuf>"))]
        pub inputs: Vec<PathBuf>,

        /// Let tests on peers see this variable as well; may be given several times.
        [secret, append] #[arg(long, value_name = "NAME", help_heading = "On other machines")]
        pub env: Vec<String>,

        /// How progress is shown [default: bar on a terminal, else plain].
        [harmless] #[arg(short, long, value_name = "STYLE", help_heading = "What is shown")]
        pub progress: Option<Progress>,

        /// Print where each test runs, and why there; without --progress, in plain lines.
        [harmless] #[arg(long, help_heading = "What is shown")]
        pub explain: bool,

        /// Print the slowest tests at the end.
        [harmless] #[arg(long, help_heading = "What is shown")]
        pub time: bool,

        /// How many of the slowest tests --time and --json-test-results show [default: 100].
        [harmless] #[arg(long, value_name = "N", help_heading = "Reports")]
        pub slow_tests_cutoff: Option<usize>,

        /// Write V8's JSON results to this file.
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub json_test_results: Option<PathBuf>,

        /// Write a list of the tests that did not pass to this file, for --expectations.
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub write_expectations: Option<PathBuf>,

        /// Write JUnit XML to this file.
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub junitout: Option<PathBuf>,

        /// Name of the test suite in the JUnit file [default: v8tests].
        [harmless] #[arg(long, value_name = "NAME", help_heading = "Reports")]
        pub junittestsuite: Option<String>,

        /// Profiles by name: further settings that --profile chooses.
        [none] #[arg(skip)] #[serde(rename = "profile", skip_serializing)]
        pub profiles: Profiles,
    }
}

/// The profiles of a file: settings that count only if `--profile` names them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Profiles(BTreeMap<String, Profile>);

/// One profile. It cannot hold further profiles.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Settings")]
struct Profile(Settings);

impl Profiles {
    /// The names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The settings of each.
    pub fn settings(&self) -> impl Iterator<Item = &Settings> {
        self.0.values().map(|Profile(settings)| settings)
    }
}

impl TryFrom<Settings> for Profile {
    type Error = &'static str;

    fn try_from(settings: Settings) -> Result<Self, Self::Error> {
        if settings.profiles.0.is_empty() { Ok(Self(settings)) } else { Err("a profile has no profiles") }
    }
}

/// One of V8's runners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Framework {
    /// The one whose script was started: the standard one.
    Default,
    /// run-tests.py
    #[value(name = "standard_runner")]
    StandardRunner,
    /// run-num-fuzzer.py
    #[value(name = "num_fuzzer")]
    NumFuzzer,
}

/// How `--list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// One line per test: `suite/name variant`.
    Text,
    /// One JSON object per line, skipped tests included.
    Json,
}

/// What to do with a kind of test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Run only these.
    Run,
    /// Run none of these.
    Skip,
    /// Run these like others.
    #[value(name = "dontcare")]
    #[serde(rename = "dontcare")]
    DontCare,
}

/// How it counts that programs of a group's suites are not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnMissing {
    /// As a failure: the exit code is 1.
    Fail,
    /// Not at all: the suites just do not run.
    Skip,
}

/// Which unexpected results of peers are confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    /// The first 20.
    Auto,
    /// All.
    All,
    /// None.
    Off,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// A bar with counts, running tests and time left.
    Bar,
    /// Failures as they happen, and now and then a line of progress.
    Plain,
    /// V8's one status line, rewritten.
    Mono,
    /// The same in colour.
    Color,
    /// One character per test.
    Dots,
    /// One line per test.
    Verbose,
    /// Only failures, and a time stamp every minute.
    Ci,
    /// One line per test: its verdict and name.
    Stream,
}

impl Settings {
    /// Checks for contradictions and invalid values.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        let given = [self.variants.is_some(), self.no_variants, self.exhaustive_variants];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err("give one of variants, no-variants and exhaustive-variants");
        }
        if self.timeout == Some(0) {
            return Err("timeout must be 1 second or more");
        }
        Ok(())
    }

    /// The value of `--variants`, or of the option that stands for one.
    pub fn chosen_variants(&self) -> Option<String> {
        if self.no_variants {
            Some("default".into())
        } else if self.exhaustive_variants {
            Some("exhaustive".into())
        } else {
            self.variants.clone()
        }
    }
}
