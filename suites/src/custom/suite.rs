//! A suite that its own `suite.toml` describes.

use flotilla_messages::{Arg, Program};

use super::config::Config;
use super::custom_test::CustomTest;
use super::places::SuitePlaces;
use super::template::Template;
use crate::kind::{EMPTY, TestKey, VariantChoice};
use crate::kit::place::Place;

/// A suite that its own `suite.toml` describes.
#[derive(Debug)]
pub struct CustomSuite {
    /// What the file says.
    pub config: Config,
    /// Where things are.
    pub places: SuitePlaces,
    /// Its directory.
    pub dir: Place,
    /// The directory of its tests.
    pub test_dir: Place,
    /// Its tests.
    pub listed: Vec<CustomTest>,
    /// The command's words behind the program.
    pub args: Template,
    /// What runs its tests, unless each has its own.
    pub program: Program,
    /// The program, where each test has its own: it is the test's file, or lies beside it.
    pub program_of_test: Option<Template>,
    /// The engine, where the program runs it.
    pub engine: Option<Program>,
    /// Words behind the program that show on another machine whether it runs, if any do.
    pub probe: Option<&'static str>,
    /// Which variants its tests run in.
    pub variants: VariantChoice,
    /// Whether the build is a predictable one.
    pub on_predictable_build: bool,
}

impl CustomSuite {
    /// One of its tests.
    pub fn test(&self, key: TestKey) -> Option<&CustomTest> {
        self.listed.get(usize::try_from(key.0).ok()?)
    }

    /// Whether its commands mean the same on another machine, as far as their words tell.
    ///
    /// # Errors
    /// A path of this machine that a command names.
    pub fn travels(&self) -> Result<(), String> {
        let outside = |arg: &Arg| match arg {
            // The engine is sent, but only in the place of a program is it put where it is.
            Arg::Text(path) if Some(arg) == self.places.shell.as_ref() => Some(path.clone()),
            _ => None,
        };
        let filled = self.args.fill(&self.places).unwrap_or_default();
        filled.iter().find_map(outside).map_or(Ok(()), Err)
    }

    /// The word with which a program shows that it runs. Of one that is no engine nobody knows what it does with an empty
    /// file.
    pub fn probe(&self, program: &Program) -> Option<&'static str> {
        let is_shell = matches!(program, Program::Shell(path) if self.places.shell.as_ref() == Some(path));
        if is_shell { Some(EMPTY) } else { self.probe }
    }
}
