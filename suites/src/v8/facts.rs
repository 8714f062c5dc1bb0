//! What all tests of a run share: whose rules hold, the build, the tree's tables, flags and time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Expectation, Judge, Outcome, Program};

use super::build::{Build, config_of};
use super::dialect::{Detected, Dialect, Layout, Predictable, Property, detect, has_harness};
use super::flags::{base_timeout, extra_flags, mode_flags, split};
use super::sanitizers;
pub use super::sanitizers::SYMBOLIZER;
use super::tables::Tables;
use crate::kind::Missing;
use crate::kit::error::OpenError;
use crate::kit::options::{Options, Shell};
use crate::kit::search_path::on_path;

/// The shell that the built-in one stands in for.
pub const D8: &str = "d8";
/// The interpreter of Python tests, from PATH.
pub const PYTHON: &str = "python3";

/// What everything else rests on.
#[derive(Debug)]
pub struct Ground {
    /// Whose rules hold.
    pub detected: Detected,
    /// The build.
    pub build: Build,
    /// What the tree says of variants, groups and flags.
    pub tables: Tables,
    /// Whether the tree has a runner of its own.
    pub has_runner: bool,
}

impl Ground {
    /// Reads what the options mean.
    ///
    /// # Errors
    /// What is wrong with the build's configuration or the tree's tables.
    pub fn read(options: &Options) -> Result<Self, OpenError> {
        let root = options.root.as_path();
        let has_runner = root.join("tools/testrunner").is_dir() || root.join("tools/run-tests.py").is_file();
        // Of a tree without a runner, the build may say more.
        let config = if has_runner { None } else { config_of(options) };
        let detected = detect(root, config.as_deref());
        if detected.dialect.layout == Layout::Bare && !has_harness(root) {
            return Err(OpenError::NoHarness(root.into()));
        }
        let build = Build::read(options, detected.dialect, detected.newer)?;
        let tables = Tables::read(root, &detected, options.framework)?;
        Ok(Self { detected, build, tables, has_runner })
    }
}

/// What all tests of a run share.
#[derive(Debug)]
pub struct RunFacts {
    /// What the tree was opened with.
    pub options: Options,
    /// Whose rules hold.
    pub detected: Detected,
    /// The rules.
    pub dialect: &'static Dialect,
    /// The build.
    pub build: Build,
    /// What the tree says of variants, groups and flags.
    pub tables: Tables,
    /// Whether the tree has a runner of its own.
    pub has_runner: bool,
    /// The words before every command.
    pub prefix: Vec<String>,
    /// The flags of the build's mode, and those of the runner.
    pub mode_flags: Vec<String>,
    /// `--extra-flags`, and what other options and the build add to them.
    pub extra_flags: Vec<String>,
    /// What follows them where d8 runs the test.
    pub extra_d8_flags: Vec<String>,
    /// What sanitizers are told, by variable.
    pub sanitizer_env: BTreeMap<String, String>,
    /// Seconds, with all factors that do not depend on the test.
    pub base_timeout: f64,
}

impl RunFacts {
    /// What these options and this ground come to.
    ///
    /// # Errors
    /// Options with an open quote.
    pub fn new(options: Options, ground: Ground) -> Result<Self, OpenError> {
        let Ground { detected, build, tables, has_runner } = ground;
        let dialect = detected.dialect;
        let (extra_flags, extra_d8_flags) = extra_flags(&options, &build, &tables, dialect)?;
        let prefix = split("--command-prefix", &options.command_prefix)?;
        Ok(Self {
            sanitizer_env: sanitizers::environment(&build, &options, dialect),
            base_timeout: base_timeout(&options, &build, &tables, dialect),
            mode_flags: mode_flags(&build, &tables, dialect),
            options,
            detected,
            dialect,
            build,
            tables,
            has_runner,
            prefix,
            extra_flags,
            extra_d8_flags,
        })
    }

    /// The tree's root.
    pub fn root(&self) -> &Path {
        &self.options.root
    }

    /// The directory of the suites.
    pub fn test_root(&self) -> PathBuf {
        self.root().join(self.options.test_root.as_deref().unwrap_or(Path::new("test")))
    }

    /// Whether the build is a predictable one.
    pub fn is_predictable(&self) -> bool {
        self.build.has(Property::Predictable)
    }

    /// What runs a shell.
    pub fn program(&self, shell: &str) -> Program {
        program(&self.options, &self.build, shell)
    }

    /// What is missing, if the program of a shell is not there.
    pub fn missing(&self, suite: &str, shell: &str) -> Option<Missing> {
        let Program::Shell(path) = self.program(shell) else { return None };
        let there = PathBuf::from(path.resolve(self.root())).exists();
        // What is no file of the build's is no target of it.
        (!there && shell != PYTHON).then(|| Missing {
            suite: suite.to_owned(),
            program: path.relative(),
            target: shell.to_owned(),
            dir: self.build_place(),
        })
    }

    /// The build's directory, as seen from the root.
    pub fn build_place(&self) -> String {
        let dir = self.build.dir.as_deref().unwrap_or(Path::new(""));
        dir.strip_prefix(self.root()).unwrap_or(dir).display().to_string()
    }

    /// How a predictable build judges a test of V8's or of test262, whatever the suite's own judge and the status file say.
    pub fn as_predictable(&self) -> Option<(Judge, Expectation)> {
        let required = self.dialect.predictable != Predictable::All;
        self.is_predictable().then(|| {
            (
                Judge::Allocations { required },
                Expectation { outcomes: vec![Outcome::Pass], reason: None, doubt: None },
            )
        })
    }
}

/// What runs a shell. An engine that was chosen stands in for `d8`, and for no other shell.
pub fn program(options: &Options, build: &Build, shell: &str) -> Program {
    let root = &options.root;
    if shell == PYTHON {
        return Program::Shell(Arg::Text(on_path(shell)));
    }
    let is_d8 = shell == D8;
    let dir = match (&options.shell, &options.shell_dir) {
        (Shell::Builtin, _) if is_d8 => return Program::Builtin,
        (Shell::Path(path), _) if is_d8 => {
            return Program::Shell(Arg::below(root, &normalize(&root.join(path))));
        }
        (_, Some(dir)) => Some(root.join(dir)),
        (_, None) => build.dir.clone(),
    };
    match dir {
        Some(dir) => Program::Shell(Arg::below(root, &normalize(&dir.join(shell)))),
        None if is_d8 => Program::Builtin,
        None => Program::Shell(Arg::Text(shell.into())),
    }
}
