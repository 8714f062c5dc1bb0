//! Options that stand on the command line and in `runner.toml`, and the values they can have.

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
        /// Directory with the build: DIR or DIR/build holds v8_build_config.json [default: out]. Several are separated by
        /// commas.
        [path] #[arg(long, value_name = "DIR", help_heading = "The tree")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub outdir: Option<PathBuf>,

        /// Architecture to read status files for, which must agree with the build if there is one; of several, separated by
        /// commas, each is run in each mode.
        [harmless] #[arg(long, value_name = "ARCH", help_heading = "The tree")]
        pub arch: Option<String>,

        /// Mode of the build, or to read status files for where there is none: debug or release; several are separated by
        /// commas.
        [harmless] #[arg(short, long, value_name = "MODE", help_heading = "The tree")]
        pub mode: Option<String>,

        /// Root of the suites [default: test below the root].
        [path] #[arg(long, value_name = "DIR", help_heading = "The tree")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Option<PathBuf>"))]
        pub test_root: Option<PathBuf>,

        /// The engine: builtin, or the path of a shell [default: the tree's, else builtin].
        [program] #[arg(long, value_name = "builtin|PATH", help_heading = "The tree")]
        pub shell: Option<String>,

        /// test262 by itself: what kind of shell it is, as in conf/hosts, or a host file [default: by the shell's name].
        [program] #[arg(long, value_name = "KIND|FILE", help_heading = "The tree")]
        pub host: Option<String>,

        /// Directory with the engine's programs, if not the build's.
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

        /// What to do with tests marked SLOW: run only these, skip them, or take no notice.
        [harmless] #[arg(long, value_name = "run|skip|dontcare", help_heading = "Which tests")]
        pub slow_tests: Option<Filter>,

        /// What to do with tests that may pass or fail.
        [harmless] #[arg(long, value_name = "run|skip|dontcare", help_heading = "Which tests")]
        pub pass_fail_tests: Option<Filter>,

        /// Run tests that the status files skip.
        [harmless] #[arg(long, help_heading = "Which tests")]
        pub run_skipped: bool,

        /// What to do about suites of a group whose programs are not built: leave them out and exit with 1, or leave them out
        /// [default: fail].
        [harmless] #[arg(long, value_name = "fail|skip", help_heading = "Which tests")]
        pub missing: Option<OnMissing>,

        /// What is expected, above the status files: a status file, TOML, a plain list; may be given several times.
        [path, append] #[arg(long, value_name = "FILE", help_heading = "Which tests")]
        #[serde(with = "crate::options::paths")] #[cfg_attr(test, schemars(with = "Vec<PathBuf>"))]
        pub expectations: Vec<PathBuf>,

        /// Flags for every test; may be given several times.
        [program, append]
        #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, help_heading = "How they run")]
        pub extra_flags: Vec<String>,

        /// Words before every test's command.
        [program] #[arg(long, value_name = "WORDS", help_heading = "How they run")]
        pub command_prefix: Option<String>,

        /// Seed for every test; 0 chooses one for the run [default: 0].
        [harmless]
        #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "How they run")]
        pub random_seed: Option<i32>,

        /// Seconds one test may take, before the factors for modes and variants [default: 60].
        [harmless]
        #[arg(short, long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "How they run")]
        pub timeout: Option<u32>,

        /// How many tests run at once; 0 is one a processor [default: 0].
        [harmless] #[arg(short = 'j', value_name = "N", help_heading = "How they run")]
        pub jobs: Option<usize>,

        /// How many tests marked HEAVY run at once.
        [harmless] #[arg(long, value_name = "N", help_heading = "How they run")]
        pub max_heavy_tests: Option<NonZeroUsize>,

        /// End the run after this many unexpected outcomes; 0 never does [default: 100].
        [harmless] #[arg(long, value_name = "N", help_heading = "How they run")]
        pub exit_after_n_failures: Option<u64>,

        /// Start tests in the order in which they are found, not the longest first.
        [harmless] #[arg(long, alias = "nosorting", help_heading = "How they run")]
        pub no_sorting: bool,

        /// End the run after this many seconds; what has not run by then is counted.
        [harmless] #[arg(long, value_name = "SECONDS", help_heading = "How they run")]
        pub total_timeout_sec: Option<u32>,

        /// Run tests with unexpected outcomes again, up to this many times; what passes then is flaky [default: 0].
        [harmless] #[arg(long, value_name = "N", help_heading = "Again and again")]
        pub rerun_failures_count: Option<u32>,

        /// If more tests than this fail, run none of them again [default: 100].
        [harmless] #[arg(long, value_name = "N", help_heading = "Again and again")]
        pub rerun_failures_max: Option<u64>,

        /// Whether a flaky test makes the run fail [default: as in the tree's own runner: fail from V8 12.0 on, else pass].
        [harmless] #[arg(long, value_name = "fail|pass", help_heading = "Again and again")]
        pub flaky: Option<Flaky>,

        /// Take no notice of earlier runs of this tree, and keep nothing of this one.
        [harmless] #[arg(long, help_heading = "How they run")]
        pub no_history: bool,

        /// Leave out the suites' own harness files where tests can do without.
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

        /// Bytes kept of each output stream of a test [default: 1 MiB].
        [harmless] #[arg(long, value_name = "BYTES", help_heading = "How they run")]
        pub max_output: Option<usize>,

        /// Run tests on peers as well, and say why not where that cannot be [default on Linux, where a peerd answers].
        [network, clears "no-network"]
        #[arg(long, overrides_with = "no_network", help_heading = "On other machines")]
        pub network: bool,

        /// Run all tests on this machine.
        [network, clears "network"]
        #[arg(long, alias = "nonetwork", conflicts_with = "peer", help_heading = "On other machines")]
        pub no_network: bool,

        /// Run tests on this peer as well, at once; it has to trust this machine and to be trusted. May be given several
        /// times; no other peers are asked then.
        [network, clears "no-network"]
        #[arg(long, value_name = "HOST[:PORT]", help_heading = "On other machines")]
        pub peer: Vec<String>,

        /// How many tests run at once on this machine, if not as -j says; 0: all run on peers.
        [harmless] #[arg(long, value_name = "N", help_heading = "On other machines")]
        pub local_jobs: Option<usize>,

        /// Ask peers when the run has lasted this many seconds [default: 3; with --peer and --local-jobs=0, 0].
        [harmless] #[arg(long, value_name = "SECONDS", help_heading = "On other machines")]
        pub network_min_seconds: Option<u32>,

        /// Which unexpected results of peers are tried again on this machine before they count [default: auto, the first 20].
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

        /// Say of each test where it is run, and why there; without --progress in plain lines.
        [harmless] #[arg(long, help_heading = "What is shown")]
        pub explain: bool,

        /// Print the slowest tests at the end.
        [harmless] #[arg(long, help_heading = "What is shown")]
        pub time: bool,

        /// How many of the slowest tests --time and --json-test-results have [default: 100].
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

        /// The name of the test suite in the JUnit file [default: v8tests].
        [harmless] #[arg(long, value_name = "NAME", help_heading = "Reports")]
        pub junittestsuite: Option<String>,

        /// Settings by the name of a profile, which --profile chooses.
        [none] #[arg(skip)] #[serde(rename = "profile", skip_serializing)]
        pub profiles: Profiles,
    }
}

/// The profiles of a file: settings that count only where `--profile` names them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Profiles(BTreeMap<String, Profile>);

/// One profile. It has none of its own.
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
    /// That of the script that was started: the standard one.
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
    /// `suite/name variant`, a line each.
    Text,
    /// One JSON object a line, skipped tests included.
    Json,
}

/// What to do with a kind of test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Only these.
    Run,
    /// None of these.
    Skip,
    /// No matter.
    #[value(name = "dontcare")]
    #[serde(rename = "dontcare")]
    DontCare,
}

/// What it means that programs of a group's suites are not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnMissing {
    /// That not all is well: the exit code is 1.
    Fail,
    /// Nothing more than that they do not run.
    Skip,
}

/// Which results of peers are confirmed.
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
    /// Failures as they come, and a line now and then.
    Plain,
    /// V8's one status line, rewritten.
    Mono,
    /// The same in colour.
    Color,
    /// A character a test.
    Dots,
    /// A line a test.
    Verbose,
    /// Nothing but failures, and a time stamp a minute.
    Ci,
    /// A verdict and a name a line.
    Stream,
}

impl Settings {
    /// Whether these can hold together.
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

    /// What `--variants` amounts to.
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
