//! Options for a plain checkout of test262, on any engine.

use std::path::PathBuf;

use clap::Args;

options! {
    /// Options for test262 on any engine.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "test262 on any engine")]
    pub struct Test262 {
        /// Run only tests of these features (+NAME), or none of these (-NAME), separated by commas; may be given several times.
        [harmless] #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
        pub features: Vec<String>,

        /// Keep the assembled file of each test, below this directory under the test's name.
        [path] #[arg(long, value_name = "DIR")]
        pub keep_compiled: Option<PathBuf>,

        /// Write how many tests passed, by area and edition, to this file: as JSON if its name ends in .json, else as Markdown.
        [path] #[arg(long, value_name = "FILE")]
        pub conformance: Option<PathBuf>,
    }
}
