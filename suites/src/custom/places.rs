//! What placeholders stand for.

use std::path::{Path, PathBuf};

use flotilla_messages::Arg;

use super::template::{Hole, Values};

/// What placeholders stand for that is the same for all tests of a suite.
#[derive(Clone, Debug)]
pub struct SuitePlaces {
    /// The tree's root.
    pub root: PathBuf,
    /// The suite's directory.
    pub suite: Arg,
    /// The directory of its tests.
    pub dir: Arg,
    /// The build's.
    pub build: Option<Arg>,
    /// The engine; the built-in shell has no path.
    pub shell: Option<Arg>,
    /// The suite's `program`.
    pub program: Option<Arg>,
}

impl Values for SuitePlaces {
    fn root(&self) -> &Path {
        &self.root
    }

    fn list(&self, _: Hole) -> Vec<Arg> {
        Vec::new()
    }

    fn one(&self, hole: Hole) -> Option<Arg> {
        match hole {
            Hole::Shell => self.shell.clone(),
            Hole::Program => self.program.clone(),
            Hole::Root => Some(Arg::Path(String::new())),
            Hole::Suite => Some(self.suite.clone()),
            Hole::Dir => Some(self.dir.clone()),
            Hole::Build => self.build.clone(),
            // They are of tests; here it only matters that there is something.
            Hole::File | Hole::Name | Hole::Seed | Hole::Flags | Hole::Files => {
                Some(Arg::Text(String::new()))
            }
        }
    }
}

/// Why a placeholder stands for nothing.
pub(crate) fn nothing_for(hole: Hole) -> String {
    let why = match hole {
        Hole::Shell => {
            "the built-in shell is no file that other programs could run; name an engine with --shell"
        }
        Hole::Build => "there is no build; --outdir says where one is",
        _ => "there is none",
    };
    format!("{{{}}} stands for nothing: {why}", hole.name())
}
