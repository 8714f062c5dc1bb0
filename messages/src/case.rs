//! Test cases: everything a machine needs to run one test, and nothing of the suite it came from.

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

/// The names people know a test by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TestName {
    /// The suite, such as `mjsunit`.
    pub suite: String,
    /// The test within the suite: path without extension, `/` between components.
    pub name: String,
    /// The variant, such as `default` or `stress`.
    pub variant: String,
    /// What tells subtests of one variant apart (test262: `strict`), if anything does.
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

/// One argument. Paths stay relative until the machine that runs the test puts its own root in front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arg {
    /// Passed as it stands.
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
    /// The file that [`TestCase::recipe`] describes, wherever it was put together.
    Compiled,
    /// The one that it describes as read before that.
    Harness,
}

/// The file put together for a test, where it has no path yet.
pub const COMPILED: &str = "%{compiled}";
/// The same of the file that is read before it.
pub const HARNESS: &str = "%{compiled-harness}";

impl Arg {
    /// The path `path` as an argument: relative if it lies below `root`, else as it stands.
    pub fn below(root: &Path, path: &Path) -> Self {
        match path.strip_prefix(root) {
            Ok(relative) => Self::Path(relative.to_string_lossy().into_owned()),
            Err(_) => Self::Text(path.to_string_lossy().into_owned()),
        }
    }

    /// The argument as the process gets it on a machine whose root is `root`.
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
    /// An engine's shell: below the root, or an absolute path of this machine.
    Shell(Arg),
    /// The built-in shell: the executing machine's own `runner shell`.
    Builtin,
}

/// The built-in shell as listings and commands show it.
pub const BUILTIN: [&str; 2] = ["runner", "shell"];

/// What the status files and flag rules expect of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The outcomes that are as expected; never empty.
    pub outcomes: Vec<Outcome>,
    /// Why it is not a plain PASS, where a rule can be named.
    pub reason: Option<String>,
    /// A rule that may hold as well, and why nobody can tell: of a tree that is newer than what is known. An outcome that
    /// is not as expected is then doubtful.
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
    /// The names for people.
    pub name: TestName,
    /// A stable identity across runs and machines (V8's `procid`).
    pub id: String,
    /// Words before the program (`--command-prefix`).
    pub prefix: Vec<String>,
    /// The program.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// The file that is put together for it, if one is; [`Arg::Compiled`] names it, and [`Arg::Harness`] the one before.
    pub recipe: Option<Box<Recipe>>,
    /// Variables set for this test on top of the run's environment.
    pub env: BTreeMap<String, String>,
    /// Variables of the run's environment that this test must not see.
    pub unset_env: Vec<String>,
    /// How long the process may live.
    pub timeout: Duration,
    /// From SIGTERM to SIGKILL for a process that has lived this long; `None`: SIGKILL at once. What its group prints in
    /// between is kept.
    #[serde(default)]
    pub term_grace: Option<Duration>,
    /// How its output becomes an outcome.
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
    /// The flags that make this variant, for reports.
    pub variant_flags: Vec<String>,
    /// The seed passed as `--random-seed`, if the suite passes one.
    pub random_seed: Option<i64>,
}

impl TestCase {
    /// The words to execute on a machine with this root; `builtin` is that machine's built-in shell command.
    /// The first word is the program. `compiled` is where the file of [`recipe`](Self::recipe) lies, if it does.
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

    /// The words with paths relative to the root: what listings show.
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

/// One entry of the stream of tests to run: compact, since a run can have half a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which test.
    pub id: CaseId,
    /// Marked SLOW: such tests start first.
    pub slow: bool,
    /// Marked HEAVY: few of them at once on one machine.
    pub heavy: bool,
    /// Identifies the test across runs ([`history_key`](crate::history_key) of [`TestCase::id`]) for durations and outcomes of earlier runs.
    pub history_key: u64,
}

/// A test that cannot be run. It is that test's verdict, never the run's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Unrunnable {
    /// The names for people.
    pub name: TestName,
    /// A stable identity, as [`TestCase::id`].
    pub id: String,
    /// What stands in the way, with the file it concerns; reads well after "cannot run the test: ".
    pub reason: String,
}

impl Unrunnable {
    /// What there is to say of an id that names no test of this run.
    pub fn no_such_test(id: CaseId) -> Self {
        let name =
            TestName { suite: String::new(), name: String::new(), variant: String::new(), detail: None };
        Self { name, id: id.0.to_string(), reason: "there is no such test".into() }
    }
}

/// Which tests there are. `suites` implements it; the scheduler takes the entries and an executor asks
/// for its case. Both are lazy: running starts before listing ends.
pub trait Cases: Send + Sync {
    /// The tests to run, in the order to start them, found while the iterator advances.
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_>;

    /// All that is needed to run one test.
    ///
    /// # Errors
    /// [`Unrunnable`] when the test's own files cannot be read or make no sense.
    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>>;
}

/// A path with `.` and `..` resolved by text alone, as Python's `os.path.normpath` does.
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
