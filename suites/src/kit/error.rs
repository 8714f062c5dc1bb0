//! What can stand in the way before any test runs.

use std::io;
use std::path::PathBuf;

use crate::syntax::python::Diagnostic;
use flotilla_messages::nearest::hint;

/// Why a tree cannot be opened as asked. The texts read well after "cannot read the tests: ".
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such directory of suites.
    #[error("there is no directory of test suites at {}", .0.display())]
    NoTestRoot(PathBuf),
    /// No suite has this name.
    #[error("unknown suite '{name}'{}\n    suites here: {}", hint(.nearest.as_deref()), .known.join(" "))]
    UnknownSuite {
        /// What was typed.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// The directory exists, but nothing is known of such a suite.
    #[error("nothing is known of a suite '{name}': a suite.toml in its directory says how its tests are run\n    suites here: {}", .known.join(" "))]
    UnsupportedSuite {
        /// What was typed.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Nothing that was asked for, or nothing at all, is a suite here.
    #[error("no suite is selected{}\n    suites here: {}", lines(.why), .known.join(" "))]
    NoSuites {
        /// What was left out, and why.
        why: Vec<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// Of the tests that were asked for, none is among those that failed the last time.
    #[error("none of the tests that were asked for failed or was flaky the last time")]
    NothingFailed,
    /// No variant or alias has this name.
    #[error(
        "unknown variant '{name}'{}\n    variants: {}\n    aliases: {}",
        hint(.nearest.as_deref()), .variants.join(" "), .aliases.join(" ")
    )]
    UnknownVariant {
        /// What was typed.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// What there is.
        variants: Vec<String>,
        /// The aliases there are.
        aliases: Vec<String>,
    },
    /// An option's value makes no sense, or not in this tree.
    #[error("the value '{value}' of {option} cannot be used: {reason}")]
    Option {
        /// The option, such as `--arch`.
        option: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The build is not what an option says it is.
    #[error("the value '{value}' of {option} cannot be used: {reason}")]
    OtherBuild {
        /// The option: `--arch` or `--mode`.
        option: &'static str,
        /// Its value.
        value: String,
        /// What the build is, and what says so.
        reason: String,
    },
    /// A program does not say which tests it has.
    #[error("cannot list the tests of {}: {source}{hint}", .binary.display())]
    List {
        /// The program.
        binary: PathBuf,
        /// How it is built, if it is not; empty, or begins with a space.
        hint: String,
        /// What is wrong.
        source: ListError,
    },
    /// A command does not say which tests a suite has.
    #[error("cannot list the tests of the suite '{suite}' with '{command}': {source}")]
    ListCommand {
        /// The suite.
        suite: String,
        /// The command.
        command: String,
        /// What is wrong.
        source: ListError,
    },
    /// A suite's `suite.toml` asks for what is not there.
    #[error("{}: {reason}", .file.display())]
    Suite {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A status file or a table of the tree is not what it should be.
    #[error(transparent)]
    Syntax(#[from] Diagnostic),
    /// A table of the tree has another shape than it should.
    #[error("{}: {name} should be {expected}", .file.display())]
    Table {
        /// The file.
        file: PathBuf,
        /// The name the table is assigned to.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The build's configuration is broken.
    #[error("the build configuration {}: {reason}", .file.display())]
    BuildConfig {
        /// The file.
        file: PathBuf,
        /// What is wrong, with the key.
        reason: String,
    },
    /// There is a build, and it has none of the programs that tests need.
    #[error("none of the programs that the tests need is built{}", lines(.missing))]
    NothingBuilt {
        /// What is missing, a line each.
        missing: Vec<String>,
    },
    /// The directory given for the build holds none.
    #[error("there is no v8_build_config.json in {} or its directory build{}", .dir.display(), builds(.found))]
    NoBuild {
        /// The directory.
        dir: PathBuf,
        /// Builds elsewhere in the tree, as seen from the root.
        found: Vec<String>,
    },
    /// There are several builds, of which none was chosen.
    #[error("there are several builds: {}\n    choose one with --outdir, as in --outdir={}", .found.join(" "), .found.first().map(String::as_str).unwrap_or_default())]
    SeveralBuilds {
        /// Their directories, as seen from the root.
        found: Vec<String>,
    },
    /// There is no build of that architecture and mode, or there are several and none was chosen.
    #[error("{reason} in {}{}", .outdir.display(), builds(.found))]
    NoBuildOf {
        /// What is wrong.
        reason: String,
        /// Where builds lie.
        outdir: PathBuf,
        /// Those there are, such as `x64.release`.
        found: Vec<String>,
    },
    /// A checkout of test262 without its harness.
    #[error("{} looks like test262, but has no harness/assert.js: tests cannot run without the harness", .0.display())]
    NoHarness(PathBuf),
    /// It is not known how the engine's shell is told what to run.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file or directory cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Lines below a message.
fn lines(of: &[String]) -> String {
    of.iter().map(|line| format!("\n    {line}")).collect()
}

fn builds(found: &[String]) -> String {
    if found.is_empty() { String::new() } else { format!("\n    builds here: {}", found.join(" ")) }
}

impl OpenError {
    /// The exit code of a run that ends so: 2 where something else should have been asked for; 5 where the tree must be
    /// mended, or does not have what was asked for of it (as V8's runner ends).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownSuite { .. }
            | Self::UnsupportedSuite { .. }
            | Self::NoSuites { .. }
            | Self::NothingFailed
            | Self::Host(_)
            | Self::SeveralBuilds { .. }
            | Self::Option { .. } => 2,
            Self::NoTestRoot(_)
            | Self::UnknownVariant { .. }
            | Self::OtherBuild { .. }
            | Self::List { .. }
            | Self::ListCommand { .. }
            | Self::Suite { .. }
            | Self::Syntax(_)
            | Self::Table { .. }
            | Self::BuildConfig { .. }
            | Self::NothingBuilt { .. }
            | Self::NoBuild { .. }
            | Self::NoHarness(_)
            | Self::NoBuildOf { .. }
            | Self::Read { .. } => 5,
        }
    }
}

/// A shell that the selected suites need cannot be run. The text reads well after "cannot run the tests: ".
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The tree has a runner of its own, and no build.
    #[error(
        "there is no build in {}: v8_build_config.json is looked for there, in its directory build, and in out/*/ and \
         out.gn/*/\n    name a build with --outdir, or run the tests on another engine with --shell (--shell builtin: the \
         built-in one)",
        .outdir.display()
    )]
    NoBuild {
        /// Where it should be.
        outdir: PathBuf,
    },
    /// A shell is not there, or is no program.
    #[error("the shell {} {reason}; needed by {}", .path.display(), .suites.join(", "))]
    Unusable {
        /// The shell.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The suites that need it.
        suites: Vec<String>,
    },
}

/// A test's source cannot be read. The text reads well after "cannot show the test: ".
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", .path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Why a binary's tests are not known. Reads well after "cannot list the tests of PATH: ".
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It does not start.
    #[error("{0}")]
    Start(#[from] io::Error),
    /// It ended otherwise than well.
    #[error("{how}{printed}")]
    Failed {
        /// Its exit code or signal.
        how: String,
        /// What it printed, on lines of its own.
        printed: String,
    },
    /// It named no test.
    #[error("it names none{0}")]
    Nothing(String),
    /// It named another number of tests than it says it has.
    #[error("it names {named} tests and says that there are {said}")]
    Miscounted {
        /// Those it named.
        named: usize,
        /// How many it says there are.
        said: String,
    },
}

/// Why there is no host. Reads well after "cannot run test262: ".
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A shell whose name says nothing.
    #[error(
        "it is not known what kind of shell {shell} is: say so with --host\n    kinds: {kinds}, or a host file"
    )]
    Shell {
        /// The kinds there are.
        kinds: String,
        /// The shell's file name.
        shell: String,
    },
    /// There is no kind of this name, nor a file.
    #[error("there is no host '{name}'\n    kinds: {kinds}, or a host file")]
    Unknown {
        /// The kinds there are.
        kinds: String,
        /// What was typed.
        name: String,
    },
    /// A host file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A host file is no TOML, or has what it should not.
    #[error("cannot use the host {file}: {detail}")]
    Content {
        /// The file.
        file: String,
        /// What is wrong, with line and column where they are known.
        detail: String,
    },
}
