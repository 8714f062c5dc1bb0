//! The command line of `runner diff`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Parser;

use super::compare::Difference;
use super::results::{Results, ResultsError};

options! {
    /// Compares two files of results, written by --json-test-results or by any version of V8's own runner.
    #[derive(Debug, Parser)]
    #[command(
        name = "runner diff",
        bin_name = "runner diff",
        max_term_width = 110,
        after_help = "V8's own files name the tests that failed, but not those that ran: what cannot be told from them is said.\n\
                      Exit codes: 0 nothing is newly failing, 1 something is, 2 a file or an option is of no use."
    )]
    pub(crate) struct Diff {
        /// The results of the earlier run.
        [path] old: PathBuf,

        /// The results of the later run.
        [path] new: PathBuf,

        /// Print one JSON object instead of text.
        [harmless] #[arg(long)]
        json: bool,
    }
}

/// Runs the command; the first of `words` is `diff`. Returns the exit code.
pub fn main(words: Vec<OsString>) -> u8 {
    let diff = Diff::parse_from(words);
    match compare(&diff) {
        Ok(code) => code,
        Err(error) => {
            notice!("runner: {error}");
            2
        }
    }
}

fn compare(diff: &Diff) -> Result<u8, ResultsError> {
    let (old, new) = (Results::read(&diff.old)?, Results::read(&diff.new)?);
    let difference = Difference::between(&old, &new);
    let text = if diff.json { difference.json() } else { difference.text() };
    if let Err(error) = io::stdout().lock().write_all(text.as_bytes()) {
        // A closed pipe is not an error; anything else is, such as a full disk.
        if error.kind() != io::ErrorKind::BrokenPipe {
            notice!("runner: cannot write the difference: {error}");
            return Ok(5);
        }
    }
    Ok(u8::from(!difference.newly_failing.is_empty()))
}
