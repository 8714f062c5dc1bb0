//! What chooses and shapes tests: plain data, filled from a command line or by tests.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::kit::shard::Shard;

/// All that chooses and shapes the tests of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The tree's root; absolute. Tests run there.
    pub root: PathBuf,
    /// Where the suites are (`--test-root`), relative to the root; `None` is `test`.
    pub test_root: Option<PathBuf>,
    /// Where the build is (`--outdir`), relative to the root: it, or its `build`, holds `v8_build_config.json`.
    pub outdir: PathBuf,
    /// The architecture (`--arch`). It must agree with the build's configuration, and counts where there is none.
    pub arch: Option<String>,
    /// `debug` or `release` (`--mode`), with the same conditions.
    pub mode: Option<String>,
    /// What the build was made with, as its status variables (`no_i18n`, `asan`), where no configuration says so.
    pub build_with: Vec<String>,
    /// The current directory, from which paths of tests are seen as well; `None`: from none. Absolute, without links.
    pub here: Option<PathBuf>,
    /// Suites, tests, patterns, groups and paths, as typed; none means the tree's group `default`, or every suite the tree
    /// has where it has no such group.
    pub tests: Vec<String>,
    /// Tests that are known from an earlier run, by their whole names: those that are not there any more are passed over.
    /// Where there are any, [`Self::tests`] choose among their suites only.
    pub recalled: Vec<String>,
    /// Variants and aliases, separated by commas (`--variants`); `None` is the alias `dev`.
    pub variants: Option<String>,
    /// Files of expectations above those of the suites (`--expectations`), relative to the root; later ones come before
    /// earlier ones.
    pub expectations: Vec<PathBuf>,
    /// Which part of the tests, of several runs that divide them.
    pub shard: Option<Shard>,
    /// `--extra-flags`, each as typed; split as a shell would.
    pub extra_flags: Vec<String>,
    /// `--command-prefix`, split as a shell would.
    pub command_prefix: String,
    /// What `--random-seed=` passes to every test; not zero, chosen by the caller.
    pub random_seed: i64,
    /// Seconds for a test in a release build, before all factors (`--timeout`); `None` is the tree's kind's own.
    pub timeout: Option<u32>,
    /// What to do with tests marked SLOW.
    pub slow_tests: Filter,
    /// What to do with tests expected to pass or fail.
    pub pass_fail_tests: Filter,
    /// Whether to run tests marked SKIP.
    pub run_skipped: bool,
    /// Whether tests come in the order of the suites and their files, the SLOW ones too (`--no-sorting`).
    pub no_sorting: bool,
    /// Whether to leave the suites' harness out.
    pub no_harness: bool,
    /// Whether to run each test's files again in a second isolate.
    pub isolates: bool,
    /// Whether to pass the flags of V8's garbage collection stress.
    pub gc_stress: bool,
    /// Whether to pass those of its random garbage collection stress.
    pub random_gc_stress: bool,
    /// Whether the engine was built for ARM processors without VFP3 (`--novfp3`).
    pub novfp3: bool,
    /// Whether tests run that are skipped on simulators for being slow there (`--dont-skip-slow-simulator-tests`).
    pub slow_simulator_tests: bool,
    /// Where a sanitizer is to collect coverage (`--sancov-dir`): a directory of this machine.
    pub coverage_dir: Option<PathBuf>,
    /// What the caller's own environment tells sanitizers (`ASAN_OPTIONS` and the like), by variable: it comes behind what
    /// V8 tells them, and so before it.
    pub sanitizer_options: BTreeMap<String, String>,
    /// Which engine runs the tests.
    pub shell: Shell,
    /// The directory of the shells (`--shell-dir`), relative to the root, instead of the build's.
    pub shell_dir: Option<PathBuf>,
    /// test262 by itself: a kind of host or a host file (`--host`); `None` is what the shell's name tells.
    pub host: Option<String>,
    /// test262 by itself: lists such as `+Temporal,-Atomics` (`--features`).
    pub features: Vec<String>,
    /// For which of V8's runners the tests run (`--framework`).
    pub framework: Framework,
    /// Whether tests are listed and none runs: of a build's programs only those need be there that name their tests.
    pub lists: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            root: PathBuf::new(),
            test_root: None,
            outdir: "out".into(),
            arch: None,
            mode: None,
            build_with: Vec::new(),
            here: None,
            tests: Vec::new(),
            recalled: Vec::new(),
            variants: None,
            expectations: Vec::new(),
            shard: None,
            extra_flags: Vec::new(),
            command_prefix: String::new(),
            random_seed: 1,
            timeout: None,
            slow_tests: Filter::default(),
            pass_fail_tests: Filter::default(),
            run_skipped: false,
            no_sorting: false,
            no_harness: false,
            isolates: false,
            gc_stress: false,
            random_gc_stress: false,
            novfp3: false,
            slow_simulator_tests: false,
            coverage_dir: None,
            sanitizer_options: BTreeMap::new(),
            shell: Shell::default(),
            shell_dir: None,
            host: None,
            features: Vec::new(),
            framework: Framework::default(),
            lists: false,
        }
    }
}

/// What to do with tests of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Run no others.
    Run,
    /// Run none of them.
    Skip,
    /// Run them like the others.
    #[default]
    DontCare,
}

impl Filter {
    /// Whether a test is left out.
    pub(crate) fn leaves_out(self, is_of_kind: bool) -> bool {
        match self {
            Self::Run => !is_of_kind,
            Self::Skip => is_of_kind,
            Self::DontCare => false,
        }
    }

    /// The option's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Skip => "skip",
            Self::DontCare => "dontcare",
        }
    }
}

/// V8's runners, whose flags and expectations differ (V8 13.3 `base_runner.py`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framework {
    /// `run-tests.py`
    #[default]
    Standard,
    /// `run-num-fuzzer.py`: tests run with the flags of its fuzzers, and may end by a timeout or pass, whatever is
    /// expected of them.
    NumFuzzer,
}

impl Framework {
    /// V8's name, as reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard_runner",
            Self::NumFuzzer => "num_fuzzer",
        }
    }
}

/// Which engine runs the tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shell {
    /// The tree's build, or the built-in shell where the tree has none.
    #[default]
    FromTree,
    /// The built-in shell.
    Builtin,
    /// This program, relative to the root, wherever a suite wants `d8`.
    Path(PathBuf),
}
