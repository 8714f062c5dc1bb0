//! What the instances of one test share.

use std::collections::BTreeMap;

use flotilla_messages::Arg;

use crate::kind::Strictness;

/// What the instances of one test share.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The files of the command line.
    pub files: Vec<Arg>,
    /// test262, FAIL_PHASE_ONLY: a file for all but the reverse half, and where it goes among the files.
    pub phase_file: Option<(usize, Arg)>,
    /// Flags from the source.
    pub source_flags: Vec<String>,
    /// Flags from the suite.
    pub suite_flags: Vec<String>,
    /// wasm-js: it may take ten times as long.
    pub long: bool,
    /// promises-aplus: whether the source says that the test must fail.
    pub negative: bool,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Which halves there are.
    pub strictness: Strictness,
    /// test262: the type of the error that is expected.
    pub exception: Option<String>,
    /// test262: whether the test is over only when it says so.
    pub asynchronous: bool,
    /// test262: whether it has a feature that the suite leaves out.
    pub left_out: bool,
}

/// What a source says, or why the test cannot be run.
pub type Result = std::result::Result<Prepared, String>;
