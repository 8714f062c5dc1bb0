//! What a person may want to know of a tree.

use std::collections::BTreeSet;
use std::path::PathBuf;

use flotilla_messages::Program;

use crate::kit::options::Options;
use crate::v8::facts::{D8, Ground, RunFacts, program};

/// What a person may want to know of an opened tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The build's directory, if there is a build.
    pub build_dir: Option<PathBuf>,
    /// The architecture, such as `x64`.
    pub arch: String,
    /// `release`, `debug` or `release+dchecks`.
    pub mode: String,
    /// The build's options, as V8's runner prints them.
    pub detected: Vec<String>,
    /// The selected variants, in the order they run.
    pub variants: Vec<String>,
    /// What runs the tests: a path relative to the root, or `built-in shell`; several, separated by commas.
    pub engine: String,
    /// Which of them runs scripts: it stands for the build in whatever is kept of runs.
    pub main_engine: String,
    /// The selected suites, in order.
    pub suites: Vec<String>,
    /// Whose rules hold, such as `V8 9.2`; with the tree's own version in parentheses where that is another.
    pub dialect: String,
    /// Whether nothing in the tree says whose rules hold, so that they are assumed.
    pub assumed: bool,
}

impl Description {
    /// What the build is called beside others, such as `x64.release`.
    pub fn product(&self) -> String {
        format!("{}.{}", self.arch, self.mode)
    }

    /// Of a tree whose suites were not looked at.
    pub(crate) fn of_ground(options: &Options, ground: &Ground) -> Self {
        let engine = shown(&program(options, &ground.build, D8));
        Self {
            build_dir: ground.build.dir.clone(),
            arch: ground.build.arch.clone(),
            mode: ground.build.mode.label().into(),
            detected: ground.build.detected(),
            variants: Vec::new(),
            engine: engine.clone(),
            main_engine: engine,
            suites: Vec::new(),
            dialect: ground.detected.to_string(),
            assumed: ground.detected.assumed,
        }
    }

    /// Of a tree whose suites were opened: their names, the selected variants, and the programs of the tests.
    pub(crate) fn of_run<'a>(
        run: &RunFacts,
        suites: impl Iterator<Item = &'a str>,
        variants: impl Iterator<Item = &'a str>,
        programs: impl Iterator<Item = &'a Program>,
    ) -> Self {
        let engines: BTreeSet<String> = programs.map(shown).collect();
        Self {
            build_dir: run.build.dir.clone(),
            arch: run.build.arch.clone(),
            mode: run.build.mode.label().into(),
            detected: run.build.detected(),
            variants: variants.map(String::from).collect(),
            engine: match engines.into_iter().collect::<Vec<_>>().join(", ") {
                // Suites of one's own whose tests are programs.
                none if none.is_empty() => "programs of their own".into(),
                engines => engines,
            },
            main_engine: shown(&run.program(D8)),
            suites: suites.map(String::from).collect(),
            dialect: run.detected.to_string(),
            assumed: run.detected.assumed,
        }
    }
}

/// A program as people are told of it.
fn shown(program: &Program) -> String {
    match program {
        Program::Builtin => "built-in shell".into(),
        Program::Shell(path) => path.relative(),
    }
}
