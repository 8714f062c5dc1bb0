//! The command line: V8's option names, grouped by task.

use std::path::PathBuf;

use clap::Parser;

use crate::runner::build_flags::BuildFlags;
use crate::runner::builds::Builds;
use crate::runner::control::Control;
use crate::runner::legacy::Legacy;
use crate::runner::settings::{Framework, ListFormat, Settings};
use crate::runner::special::Special;
use crate::runner::test262::Test262;

options! {
    /// Runs a JavaScript engine's test suites.
    #[derive(Debug, Parser)]
    #[command(
        name = "runner",
        version,
        max_term_width = 110,
        args_override_self = true,
        // As Python's optparse does, which V8 uses.
        infer_long_args = true,
        after_help = "TESTS are suites (mjsunit), tests (mjsunit/array-sort), globs ('webkit/fast/*'), the tree's groups \
                      (d8_default), or paths of tests and directories (test/mjsunit/array-sort.js). None means the group \
                      'default', or every suite of a tree without groups.\n\n\
                      As the first word, 'shell' starts the built-in shell, 'history' tells of earlier runs, 'diff' compares \
                      two files of results; each has its own --help.\n\
                      Exit codes: 0 all as expected, 1 unexpected outcomes, 2 no tests or a bad option, 3 interrupted, \
                      4 terminated, 5 internal error or unreadable tree."
    )]
    pub struct Cli {
        /// Suites, tests, globs, groups and paths to run.
        [harmless] #[arg(value_name = "TESTS")]
        pub tests: Vec<String>,

        /// Root of the tree [default: the nearest directory above that looks like a test tree].
        [path] #[arg(long, value_name = "DIR", help_heading = "The tree")]
        pub root: Option<PathBuf>,

        /// Do not read runner.toml.
        [harmless] #[arg(long, help_heading = "The tree")]
        pub no_config: bool,

        /// Use [profile.NAME] of runner.toml; its settings override the file's others [default: the variable
        /// FLOTILLA_RUNNER__PROFILE].
        [harmless] #[arg(long, value_name = "NAME", conflicts_with = "no_config", help_heading = "The tree")]
        pub profile: Option<String>,

        /// The builds to test.
        [group] #[command(flatten)]
        pub builds: Builds,

        /// How the build was configured.
        [group] #[command(flatten)]
        pub made: BuildFlags,

        /// How often tests run.
        [group] #[command(flatten)]
        pub control: Control,

        /// Split the tests into N shards ...
        [harmless] #[arg(long, value_name = "N", requires = "shard_run", help_heading = "Which tests")]
        pub shard_count: Option<u32>,

        /// ... and run the Nth, from 1. GTEST_TOTAL_SHARDS and GTEST_SHARD_INDEX (from 0) override both.
        [harmless] #[arg(long, value_name = "N", requires = "shard_count", help_heading = "Which tests")]
        pub shard_run: Option<u32>,

        /// Options for a plain checkout of test262.
        [group] #[command(flatten)]
        pub test262: Test262,

        /// List the tests instead of running them.
        [harmless] #[arg(long, help_heading = "Looking without running")]
        pub list: bool,

        /// Output format of --list: text, or json with one object per line (implies --list).
        [harmless] #[arg(long, value_name = "FORMAT", help_heading = "Looking without running")]
        pub list_format: Option<ListFormat>,

        /// Print the tests' sources instead of running them.
        [harmless] #[arg(long, help_heading = "Looking without running")]
        pub cat: bool,

        /// Options that runner.toml may set as well.
        [group] #[command(flatten)]
        pub settings: Settings,

        /// Print how many tests are expected to pass, fail and so on, then run the tests.
        [harmless] #[arg(long, help_heading = "What is shown")]
        pub report: bool,

        /// Print the status file rules that match no test, then run the tests.
        [harmless] #[arg(long, help_heading = "What is shown")]
        pub warn_unused: bool,

        /// Run only the variants stress and default, without slow tests and tests that may pass or fail.
        [harmless] #[arg(long, conflicts_with = "variants", help_heading = "Which tests")]
        pub quickcheck: bool,

        /// Directory with this machine's identity, see peerd [default: FLOTILLA_HOME, or flotilla in the user's data directory].
        [path] #[arg(long, value_name = "DIR", help_heading = "On other machines")]
        pub home: Option<PathBuf>,

        /// Print each command before it runs.
        [harmless] #[arg(short, long, help_heading = "What is shown")]
        pub verbose: bool,

        /// Which of V8's runners to act as; num_fuzzer is run-num-fuzzer.py without its random flags [default: standard_runner].
        [harmless] #[arg(long, value_name = "NAME", help_heading = "How they run")]
        pub framework: Option<Framework>,

        /// Options for special runs.
        [group] #[command(flatten)]
        pub special: Special,

        /// Options accepted from V8's runners.
        [group] #[command(flatten)]
        pub legacy: Legacy,
    }
}

impl Cli {
    /// Whether tests are only listed or printed, and none runs.
    pub fn lists(&self) -> bool {
        self.list || self.list_format.is_some() || self.cat
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
