//! How a kind knows its directories, and opens them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Missing, SuiteKind};
use crate::expectations::{EntryFile, Reading, StatusFile};
use crate::files::select::Pattern;
use crate::kit::error::OpenError;
use crate::kit::place::Place;

/// A kind of suites, as directories are asked whether they are of it.
pub trait Loader: Send + Sync {
    /// Whether a directory, whose name is the suite's, is a suite of this kind.
    fn recognizes(&self, dir: &Path, name: &str) -> bool;

    /// The tests that a path in the directory of such a suite means.
    fn pattern(&self, dir: &Path, name: &str, typed: Typed<'_>) -> Option<Pattern>;

    /// The suite's name, if the whole tree is one suite of this kind, whose directory is the root.
    fn whole_tree(&self) -> Option<&'static str> {
        None
    }

    /// What has to be known of such a suite before it is opened; `None` if the directory is no such suite.
    ///
    /// # Errors
    /// What is wrong with the files that say so.
    fn choose(&self, dir: PathBuf, name: &str) -> Result<Option<Candidate<'_>>, OpenError>;
}

/// A path that was typed.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// The path.
    pub path: &'a Path,
    /// The same as seen from the suite's directory; empty: that directory.
    pub inside: &'a str,
    /// Whether a slash stands behind it.
    pub is_dir: bool,
}

/// Opens a suite.
pub type Open<'a> = Box<dyn FnOnce(&Opening<'_>) -> Result<Opened, OpenError> + 'a>;

/// A suite that was asked for, before it is opened.
pub struct Candidate<'a> {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// Whether it cannot run without a build, where the engine may be any.
    pub needs_build: bool,
    /// The variant that its tests run in whether it was selected or not.
    pub also: Option<String>,
    /// Opens it.
    pub open: Open<'a>,
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What opening a suite needs to know that its kind does not.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The suite's name.
    pub name: &'a str,
    /// Its directory.
    pub dir: Place,
    /// What expectations are read for.
    pub reading: Reading<'a>,
    /// Whether nobody asked for it by name: then programs that are not built leave its tests out.
    pub by_group: bool,
    /// [`Candidate::also`], by its index among the run's variants.
    pub also: Option<usize>,
}

/// A suite as it was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// The suite; none if its program is not built.
    pub suite: Option<Box<dyn SuiteKind>>,
    /// Its own status file.
    pub status: StatusFile,
    /// What else its directory expects of its tests, later ones above earlier ones.
    pub more: Vec<EntryFile>,
    /// Programs that are not built, and whose tests are left out.
    pub missing: Vec<Missing>,
    /// Things that a person should know.
    pub warnings: Vec<String>,
    /// The same of a tree that is newer than what is known: what was not understood of it.
    pub not_understood: Vec<String>,
}
