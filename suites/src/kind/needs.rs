//! What another machine needs to run the tests of a suite.

use std::path::PathBuf;

use flotilla_messages::Program;

/// An empty script, wherever an engine runs: the word with which most engines show that they run.
pub const EMPTY: &str = "/dev/null";

/// What another machine needs to run the tests of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Directories and files, relative to the root, with all that is below them.
    pub paths: Vec<PathBuf>,
    /// The programs that tests run. An interpreter is none of them: without its library it is of no use, and who has the
    /// library has the interpreter.
    pub engines: Vec<Engine>,
    /// Whether any test is a program itself.
    pub native: bool,
    /// Whether tests may load what lies elsewhere in the tree.
    pub rest: bool,
}

/// A program that tests run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The program.
    pub program: Program,
    /// The word with which it shows that it runs, if there is one for it.
    pub probe: Option<&'static str>,
}

/// Why the tests can run on this machine alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bound {
    /// Coverage is collected in a directory of this machine.
    #[error("--sancov-dir is for this machine")]
    Coverage,
    /// The words before the command name programs of this machine.
    #[error("--command-prefix is for this machine")]
    Prefix,
    /// A suite is no part of the tree.
    #[error("the suite {0} lies outside the tree")]
    Suite(String),
    /// An engine has no place: it would be looked for in PATH.
    #[error("it is not known where the engine {0} is")]
    Engine(String),
    /// A command names a file of this machine.
    #[error("a command names {0}, which lies outside of the tree")]
    Argument(String),
}
