//! Test cases: everything a machine needs to run one test, independent of the suite it came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::judge::Judge;
use crate::outcome::Outcome;
use crate::recipe::{Recipe, harness_path};

/// A test's number within one run: stable while the run lasts, meaningless outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseId(pub u64);

/// The names that reports and command lines use for a test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TestName {
    /// The suite, such as `mjsunit`.
    pub suite: String,
    /// The test within the suite: path without extension, `/` between components.
    pub name: String,
    /// The variant, such as `default` or `stress`.
    pub variant: String,
    /// Distinguishes subtests of one variant (test262: `strict`); `None` if there is only one.
    pub detail: Option<String>,
}

impl TestName {
    /// `suite/name`, as it is typed on the command line.
    pub fn path(&self) -> String {
        format!("{}/{}", self.suite, self.name)
    }

    /// The variant with the detail, such as `stress` or `default strict`.
    pub fn variant_and_detail(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} {detail}", self.variant),
            None => self.variant.clone(),
        }
    }
}

impl fmt::Display for TestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({}", self.suite, self.name, self.variant)?;
        if let Some(detail) = &self.detail {
            write!(f, ", {detail}")?;
        }
        f.write_str(")")
    }
}

/// One argument. Paths stay relative until the machine that runs the test prepends its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arg {
    /// Passed unchanged.
    Text(String),
    /// A path below the root, `/` between components.
    Path(String),
    /// A path below the root inside other text (`TEST_FILE_NAME="<path>"`).
    Embedded {
        /// The text before the path.
        before: String,
        /// The path, relative to the root.
        path: String,
        /// The text after it.
        after: String,
    },
    /// The file that [`TestCase::recipe`] describes, wherever the executor puts it.
    Compiled,
    /// The harness file of [`TestCase::recipe`], which the shell reads before that.
    Harness,
}

/// Placeholder for the path of the file put together for a test, where that is not known yet.
pub const COMPILED: &str = "%{compiled}";
/// Placeholder for the path of the harness file that is read before it.
pub const HARNESS: &str = "%{compiled-harness}";

impl Arg {
    /// `path` as an argument: relative if it lies below `root`, otherwise unchanged.
    pub fn below(root: &Path, path: &Path) -> Self {
        match path.strip_prefix(root) {
            Ok(relative) => Self::Path(relative.to_string_lossy().into_owned()),
            Err(_) => Self::Text(path.to_string_lossy().into_owned()),
        }
    }

    /// The argument as it is passed to the process on a machine whose root is `root`.
    pub fn resolve(&self, root: &Path) -> OsString {
        match self {
            Self::Text(text) => text.into(),
            Self::Path(path) => root.join(path).into_os_string(),
            Self::Embedded { before, path, after } => {
                let mut text = OsString::from(before);
                text.push(root.join(path));
                text.push(after);
                text
            }
            Self::Compiled => COMPILED.into(),
            Self::Harness => HARNESS.into(),
        }
    }

    /// The argument with its path relative to the root: what listings show.
    pub fn relative(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Path(path) => path.clone(),
            Self::Embedded { before, path, after } => format!("{before}{path}{after}"),
            Self::Compiled => COMPILED.into(),
            Self::Harness => HARNESS.into(),
        }
    }
}

/// Which program runs the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// An engine's shell: a path below the root, or an absolute path on this machine.
    Shell(Arg),
    /// The built-in shell: the executing machine's own `runner shell`.
    Builtin,
}

/// The built-in shell as shown in listings and commands.
pub const BUILTIN: [&str; 2] = ["runner", "shell"];

/// What the status files and flag rules expect of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The outcomes that are as expected; never empty.
    pub outcomes: Vec<Outcome>,
    /// Why the expectation is not a plain PASS, if a rule can be named.
    pub reason: Option<String>,
    /// A rule that may also apply, and why that is uncertain: set in trees newer than the versions this program
    /// knows. An unexpected outcome is then reported as doubtful.
    pub doubt: Option<String>,
}

impl Expectation {
    /// PASS alone.
    pub fn pass() -> Self {
        Self { outcomes: vec![Outcome::Pass], reason: None, doubt: None }
    }

    /// Whether `outcome` is among the expected ones.
    pub fn allows(&self, outcome: Outcome) -> bool {
        self.outcomes.contains(&outcome)
    }
}

/// Everything a machine needs to run one test and judge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCase {
    /// The test's suite, name and variant.
    pub name: TestName,
    /// A stable identity across runs and machines (V8's `procid`).
    pub id: String,
    /// Command words placed before the program (`--command-prefix`).
    pub prefix: Vec<String>,
    /// The program.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// How to put together the file that the test runs, if it is not a file of the tree; [`Arg::Compiled`] stands for
    /// that file and [`Arg::Harness`] for the one read before it.
    pub recipe: Option<Box<Recipe>>,
    /// Variables set for this test on top of the run's environment.
    pub env: BTreeMap<String, String>,
    /// Variables of the run's environment that this test must not see.
    pub unset_env: Vec<String>,
    /// The time limit of the process.
    pub timeout: Duration,
    /// The time between SIGTERM and SIGKILL for a process that exceeds [`timeout`](Self::timeout); `None`: SIGKILL at
    /// once. Output that its process group prints in between is kept.
    #[serde(default)]
    pub term_grace: Option<Duration>,
    /// How the output is judged.
    pub judge: Judge,
    /// The file the judge compares with, read by the executor.
    pub expected_file: Option<Arg>,
    /// What the status files expect.
    pub expectation: Expectation,
    /// Marked SLOW by a status file.
    pub slow: bool,
    /// Marked HEAVY by a status file.
    #[serde(default)]
    pub heavy: bool,
    /// The variant's flags, for reports.
    pub variant_flags: Vec<String>,
    /// The seed passed as `--random-seed`, if the suite passes one.
    pub random_seed: Option<i64>,
}

impl TestCase {
    /// The command words on a machine with this root. `builtin` is that machine's built-in shell command, and
    /// `compiled` the path of the file made by [`recipe`](Self::recipe), if there is one.
    pub fn argv(&self, root: &Path, builtin: &[OsString], compiled: Option<&Path>) -> Vec<OsString> {
        let mut argv: Vec<OsString> = self.prefix.iter().map(OsString::from).collect();
        match &self.program {
            Program::Shell(path) => argv.push(path.resolve(root)),
            Program::Builtin => argv.extend_from_slice(builtin),
        }
        argv.extend(self.args.iter().map(|arg| match (arg, compiled) {
            (Arg::Compiled, Some(path)) => path.into(),
            (Arg::Harness, Some(path)) => harness_path(path).into(),
            _ => arg.resolve(root),
        }));
        argv
    }

    /// The command words with paths relative to the root, as listings show them.
    pub fn relative_argv(&self) -> Vec<String> {
        let mut argv = self.prefix.clone();
        match &self.program {
            Program::Shell(path) => argv.push(path.relative()),
            Program::Builtin => argv.extend(BUILTIN.map(String::from)),
        }
        argv.extend(self.args.iter().map(Arg::relative));
        argv
    }
}

/// One entry in the stream of tests to run. Compact, since a run can have half a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The test's number in this run.
    pub id: CaseId,
    /// Marked SLOW: such tests start first.
    pub slow: bool,
    /// Marked HEAVY: only a few may run at once on one machine.
    pub heavy: bool,
    /// Identifies the test across runs, to look up its earlier durations and outcomes:
    /// [`history_key`](crate::history_key) of [`TestCase::id`].
    pub history_key: u64,
}

/// A test that cannot be run. This is the verdict of that test; it never ends the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Unrunnable {
    /// The test's suite, name and variant.
    pub name: TestName,
    /// A stable identity, like [`TestCase::id`].
    pub id: String,
    /// The obstacle, with the file it concerns; reads well after "cannot run the test: ".
    pub reason: String,
}

impl Unrunnable {
    /// The error for an id that names no test of this run.
    pub fn no_such_test(id: CaseId) -> Self {
        let name =
            TestName { suite: String::new(), name: String::new(), variant: String::new(), detail: None };
        Self { name, id: id.0.to_string(), reason: "there is no such test".into() }
    }
}

/// The tests of a run. `suites` implements it; the scheduler takes the entries, and an executor asks for the case of
/// one. Both are lazy: tests start running before listing is complete.
pub trait Cases: Send + Sync {
    /// The tests to run, in starting order, found while the iterator advances.
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_>;

    /// Everything needed to run one test.
    ///
    /// # Errors
    /// [`Unrunnable`] when the test's files cannot be read or are invalid.
    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>>;
}

/// Resolves `.` and `..` in a path lexically, as Python's `os.path.normpath` does.
pub fn normalize(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::RootDir)) => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_below_the_root_only() {
        let root = Path::new("/v8");
        assert_eq!(Arg::below(root, Path::new("/v8/test/a.js")), Arg::Path("test/a.js".into()));
        assert_eq!(Arg::below(root, Path::new("/opt/d8")), Arg::Text("/opt/d8".into()));
    }

    #[test]
    fn embedded_paths_get_the_root_of_the_machine_that_runs() {
        let arg = Arg::Embedded { before: "NAME=\"".into(), path: "test/a.js".into(), after: "\"".into() };
        assert_eq!(arg.resolve(Path::new("/w/1")), "NAME=\"/w/1/test/a.js\"");
        assert_eq!(arg.relative(), "NAME=\"test/a.js\"");
    }

    #[test]
    fn normalize_is_by_text() {
        assert_eq!(normalize(Path::new("/a/b/../../c/./d")), Path::new("/c/d"));
        assert_eq!(normalize(Path::new("/../a")), Path::new("/a"));
        assert_eq!(normalize(Path::new("../a")), Path::new("../a"));
    }
}
