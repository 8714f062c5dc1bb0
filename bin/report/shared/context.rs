//! What reporters know of the machine that runs the tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::quote;
use super::told::Told;
use flotilla_messages::TestCase;

/// What reporters must know to show commands.
#[derive(Clone, Debug)]
pub struct Context {
    /// The root of the tree on this machine.
    pub root: PathBuf,
    /// The words that start the built-in shell.
    pub builtin: Vec<OsString>,
    /// Which failures need no more telling.
    pub told: Told,
    /// Where the files that are put together for tests are kept, if they are.
    pub kept: Option<PathBuf>,
    /// The words that run tests of this tree again, with the same engine; the tests' names are appended.
    pub again: Vec<OsString>,
    /// Which part of the tests the run is for, from 0, and of how many.
    pub shard: (u32, u32),
    /// As which of V8's runners tests are run.
    pub framework: &'static str,
}

impl Context {
    #[cfg(test)]
    pub fn for_tests() -> Self {
        Self {
            root: PathBuf::from("/root-of-tree"),
            builtin: vec!["runner".into(), "shell".into()],
            told: Told::default(),
            kept: None,
            again: vec!["runner".into()],
            shard: (0, 1),
            framework: "standard_runner",
        }
    }

    /// The words of a test's process.
    pub fn argv(&self, case: &TestCase) -> Vec<OsString> {
        let compiled = self.kept.as_ref().map(|dir| kept_path(dir, case));
        case.argv(&self.root, &self.builtin, compiled.as_deref())
    }

    /// A test's command, to be pasted into a shell. Where its file was put together and not kept, the command runs it
    /// again and keeps the file: the failure that it shows names it.
    pub fn command(&self, case: &TestCase) -> Vec<u8> {
        if case.recipe.is_none() || self.kept.is_some() {
            return quote::command(case, &self.root, &self.argv(case));
        }
        let words = self.again.iter().map(|word| quote::word(word));
        let kept = [b"--keep-compiled \"$(mktemp -d)\"".to_vec(), quote::word(case.name.path().as_ref())];
        words.chain(kept).collect::<Vec<_>>().join(&b' ')
    }
}

/// Where a test's file is kept: `NAME.default.js`, `NAME.strict.js`, `NAME.module.js`, and what is read before it as
/// `NAME.default.harness.js`. What it imports lies beside it under
/// its own name, which the test itself may have.
pub fn kept_path(dir: &Path, case: &TestCase) -> PathBuf {
    let half = case.name.detail.as_deref().unwrap_or("default");
    dir.join(format!("{}.{half}.js", case.name.name))
}
