//! How often tests run, how long the run goes on, and what is recorded about it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

options! {
    /// The options that only the command line has, not the configuration file.
    #[derive(Debug, Default, Args)]
    pub struct Control {
        /// Repeat the tests until one is unexpected (this ends the round, unless --exit-after-n-failures is given), Ctrl-C, or
        /// the end of --total-timeout-sec.
        [harmless]
        #[arg(long, conflicts_with_all = ["list", "list_format", "cat"], help_heading = "Again and again")]
        pub until_fail: bool,

        /// Run only the tests that failed or were flaky when they last ran in this configuration.
        [harmless]
        #[arg(long, conflicts_with_all = ["cat", "no_history"], help_heading = "Again and again")]
        pub rerun_failed: bool,

        /// Append a line to this file for each verdict.
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        pub ci_test_completion: Option<PathBuf>,

        /// Write the outcome of each attempt at each test, as JSON in Chromium's format 3.
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        pub flakiness_results: Option<PathBuf>,

        /// Write the start and end of each run of a test to this file [default: test_schedule.log beside the file of
        /// --json-test-results, if the tree's own runner writes one].
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        pub log_test_schedule: Option<PathBuf>,

        /// Write how much of the system's memory is in use to this file, one line every two seconds [default: memory_stats.log,
        /// likewise].
        [path] #[arg(long, value_name = "FILE", help_heading = "Reports")]
        pub log_system_memory: Option<PathBuf>,
    }
}

/// How a test counts that failed and then passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Flaky {
    /// As a failure: the exit code is 1.
    Fail,
    /// As a success, but reports name it.
    Pass,
}
