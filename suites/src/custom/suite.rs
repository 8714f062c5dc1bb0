//! A suite of one's own, and what its kind has to answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_messages::{Arg, Program};

use super::case::CustomPrepared;
use super::config::Config;
use super::find::CustomTest;
use super::template::{Hole, Template, Values};
use crate::files::select::NameFilter;
use crate::kind::{
    Bound, EMPTY, Engine, Needs, PreparedTest, Source, SuiteKind, TestKey, TestRef, VariantChoice,
};
use crate::kit::place::Place;

/// Why predictable builds skip suites of one's own.
const NOT_PREDICTABLE: &str = "a predictable build compares the allocations of V8's own tests only";

/// A suite that its own `suite.toml` describes.
#[derive(Debug)]
pub struct CustomSuite {
    /// What the file says.
    pub config: Config,
    /// Where things are.
    pub places: Places,
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

/// What placeholders stand for that is the same for all tests of a suite.
#[derive(Clone, Debug)]
pub struct Places {
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

impl Values for Places {
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

impl CustomSuite {
    /// One of its tests.
    pub fn test(&self, key: TestKey) -> Option<&CustomTest> {
        self.listed.get(usize::try_from(key.0).ok()?)
    }

    /// Whether its commands mean the same on another machine, as far as their words tell.
    ///
    /// # Errors
    /// A path of this machine that a command names.
    fn travels(&self) -> Result<(), String> {
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
    fn probe(&self, program: &Program) -> Option<&'static str> {
        let is_shell = matches!(program, Program::Shell(path) if self.places.shell.as_ref() == Some(path));
        if is_shell { Some(EMPTY) } else { self.probe }
    }
}

impl SuiteKind for Arc<CustomSuite> {
    fn tests(&self, _: &dyn Fn(&str) -> bool, visit: &mut dyn FnMut(&str, TestKey), _: &mut Vec<String>) {
        for (number, test) in (0..).zip(&self.listed) {
            visit(&test.name, TestKey(number));
        }
    }

    fn variants(&self) -> &VariantChoice {
        &self.variants
    }

    fn programs(&self) -> Vec<&Program> {
        let common = self.program_of_test.is_none().then_some(&self.program);
        common.into_iter().chain(&self.engine).collect()
    }

    fn runs(&self, _: TestKey, _: &Program) -> bool {
        true
    }

    fn looks_in_path(&self) -> bool {
        true
    }

    fn skipped_on_build(&self) -> Option<&'static str> {
        self.on_predictable_build.then_some(NOT_PREDICTABLE)
    }

    fn source(&self, test: TestRef<'_>) -> Source {
        self.test(test.key).map_or(Source::Text(String::new()), |test| test.source.clone())
    }

    fn prepare(&self, test: TestRef<'_>) -> Result<Box<dyn PreparedTest>, String> {
        let listed = self.test(test.key).ok_or("there is no such test")?;
        Ok(Box::new(CustomPrepared::read(self, test.key, listed)?))
    }

    fn needs(&self, suite: &str, _: &NameFilter) -> Result<Needs, Bound> {
        let below = |path: &Path| match path.strip_prefix(self.places.root()) {
            Ok(path) => Ok(path.to_owned()),
            Err(_) => Err(Bound::Suite(suite.to_owned())),
        };
        let dir = below(self.dir.path())?;
        // Its tests may load the helpers of V8's.
        let mut paths = vec![dir.with_file_name("mjsunit"), dir, below(self.test_dir.path())?];
        paths.extend_from_slice(&self.config.inputs);
        self.travels().map_err(Bound::Argument)?;
        let engine = |program: &Program| Engine { program: program.clone(), probe: self.probe(program) };
        Ok(Needs {
            paths,
            engines: self.programs().into_iter().map(engine).collect(),
            // Its programs may be the tests themselves.
            native: self.program_of_test.is_some(),
            rest: true,
        })
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
