//! What opening a suite needs to know.

use std::path::{Path, PathBuf};

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Program};

use super::places::SuitePlaces;
use super::template::{Hole, Template};
use crate::expectations::Reading;
use crate::kit::place::Place;

/// The file that makes a directory such a suite.
pub const FILE: &str = "suite.toml";

/// What opening a suite needs to know.
pub struct CustomOpening<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its directory.
    pub dir: &'a Place,
    /// The tree's root.
    pub root: &'a Path,
    /// The engine.
    pub shell: Program,
    /// The directory of the build's programs.
    pub build: Option<PathBuf>,
    /// The words before every command.
    pub prefix: &'a [String],
    /// What expectations are read for.
    pub reading: Reading<'a>,
    /// Whether the build is a predictable one.
    pub on_predictable_build: bool,
}

impl CustomOpening<'_> {
    /// The program that a command's first word means: the engine, a path, or a name that is looked for in PATH.
    pub(crate) fn program(&self, word: &Template, places: &SuitePlaces) -> Result<Program, Hole> {
        match (word.only(), word.text()) {
            (Some(Hole::Shell), _) => return Ok(self.shell.clone()),
            (_, Some(name)) if !name.contains('/') => {
                return Ok(Program::Shell(Arg::Text(crate::kit::search_path::on_path(name))));
            }
            (_, Some(path)) => {
                return Ok(Program::Shell(Arg::below(self.root, &normalize(&self.root.join(path)))));
            }
            _ => {}
        }
        let filled = word.fill(places)?.into_iter().next().unwrap_or(Arg::Text(String::new()));
        Ok(Program::Shell(match filled {
            Arg::Embedded { .. } => Arg::below(self.root, Path::new(&filled.resolve(self.root))),
            other => other,
        }))
    }
}
