//! What reporters know of the machine that runs the tests.

use std::ffi::OsString;
use std::path::PathBuf;

use super::told::Told;

/// What reporters must know to show commands.
#[derive(Clone, Debug)]
pub struct Context {
    /// The root of the tree on this machine.
    pub root: PathBuf,
    /// The words that start the built-in shell.
    pub builtin: Vec<OsString>,
    /// Which failures need no more telling.
    pub told: Told,
}

impl Context {
    #[cfg(test)]
    pub fn for_tests() -> Self {
        Self {
            root: PathBuf::from("/root-of-tree"),
            builtin: vec!["runner".into(), "shell".into()],
            told: Told::default(),
        }
    }
}
