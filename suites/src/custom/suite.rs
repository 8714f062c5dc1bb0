//! Opening a suite of one's own: its program, its tests, what is expected of them.

use std::path::{Path, PathBuf};

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Program};

use super::config::{Config, Kind};
use super::find;
use super::template::{Hole, Template, Values};
use crate::expectations::{EntryFile, Naming, Reading, StatusFile, Syntax, Vocabulary, table};
use crate::files::listed::ListedTest;
use crate::kit::error::OpenError;
use crate::kit::place::Place;
use crate::syntax::read::read;

/// The file that makes a directory such a suite.
pub const FILE: &str = "suite.toml";

/// A suite that its own `suite.toml` describes.
#[derive(Debug)]
pub struct CustomSuite {
    /// What the file says.
    pub config: Config,
    /// Where things are.
    pub places: Places,
    /// The command's words behind the program.
    pub args: Template,
    /// The program, where each test has its own: it is the test's file, or lies beside it.
    pub program_of_test: Option<Template>,
    /// Words behind the program that show on another machine whether it runs, if any do.
    pub probe: Option<&'static str>,
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

/// What opening a suite needs to know.
pub struct Opening<'a> {
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
}

/// A suite as it was opened.
pub struct Opened {
    /// The suite.
    pub own: CustomSuite,
    /// What runs its tests; where each has its own program, nothing.
    pub program: Option<Program>,
    /// The directory of its tests.
    pub test_dir: Place,
    /// Its tests.
    pub listed: Vec<ListedTest>,
    /// Its own status file.
    pub status: StatusFile,
    /// What else its directory says of them, later ones above earlier ones.
    pub more: Vec<EntryFile>,
    /// Things that a person should know.
    pub warnings: Vec<String>,
}

/// Reads a suite's `suite.toml`, with its text.
///
/// # Errors
/// It cannot be read, or is none.
pub fn config(root: &Path, dir: &Path) -> Result<(Config, String), OpenError> {
    let path = dir.join(FILE);
    let bytes = read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok((Config::read(shown(root, &path), &text)?, text))
}

fn shown<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

impl Opening<'_> {
    /// Opens the suite: looks for its tests, asks programs for their names.
    ///
    /// # Errors
    /// What is wrong with its files, or a program that does not name its tests.
    pub fn open(&self, (config, text): (Config, String)) -> Result<Opened, OpenError> {
        let file = self.dir.path().join(FILE);
        let refuse = |reason: String| OpenError::Suite { file: shown(self.root, &file).into(), reason };
        let below = |path: &Path| Arg::below(self.root, &normalize(path));
        let test_dir = Place::new(self.root, &self.dir.path().join(&config.dir));
        if !test_dir.path().is_dir() {
            return Err(refuse(format!("there is no directory {}", test_dir.path().display())));
        }
        let mut places = Places {
            root: self.root.into(),
            suite: below(self.dir.path()),
            dir: below(test_dir.path()),
            build: self.build.as_deref().map(below),
            shell: match &self.shell {
                Program::Shell(shell) => Some(shell.clone()),
                Program::Builtin => None,
            },
            program: None,
        };
        if let Kind::GoogleTest { program } = &config.kind {
            let filled = self.program(program, &places).map_err(|hole| refuse(nothing_for(hole)))?;
            places.program = match filled {
                Program::Shell(path) => Some(path),
                Program::Builtin => None,
            };
        }
        let (first, args) = config.command.clone().split_first();
        let program = match first.is_of_test() {
            true => None,
            false => Some(self.program(&first, &places).map_err(|hole| refuse(nothing_for(hole)))?),
        };
        // What cannot be filled for one test cannot be for any.
        args.fill(&places).map_err(|hole| refuse(nothing_for(hole)))?;

        let status = self.status()?;
        let naming = || Naming::Within(self.name.into());
        let tables = table::entries(shown(self.root, &file), &text, naming(), &config.expect, self.reading);
        let tables = tables.map_err(|problem| problem.located(shown(self.root, &file), &text))?;
        let expect_file = self.expect_file(naming())?;
        let listing = find::Listing { opening: self, config: &config, places: &places, test_dir: &test_dir };
        let find::Found { listed, disabled, warnings } = listing.find(&refuse)?;
        let more = disabled.into_iter().chain([tables]).chain(expect_file).collect();
        Ok(Opened {
            own: CustomSuite {
                program_of_test: program.is_none().then_some(first),
                probe: matches!(config.kind, Kind::GoogleTest { .. }).then_some("--gtest_list_tests"),
                config,
                places,
                args,
            },
            program,
            test_dir,
            listed,
            status,
            more,
            warnings,
        })
    }

    /// `NAME.status`, if it is there: in the language of newer trees, whatever the tree.
    fn status(&self) -> Result<StatusFile, OpenError> {
        let path = self.dir.path().join(format!("{}.status", self.name));
        let reading = Reading {
            vocabulary: Vocabulary::Modern,
            syntax: Syntax::Python,
            keywords: None,
            ..self.reading
        };
        match if_there(&path)? {
            Some(text) => Ok(StatusFile::read(shown(self.root, &path), &text, reading)?),
            None => Ok(StatusFile::default()),
        }
    }

    /// `NAME.expect.toml`, if it is there.
    fn expect_file(&self, naming: Naming) -> Result<Option<EntryFile>, OpenError> {
        let path = self.dir.path().join(format!("{}.expect.toml", self.name));
        let Some(text) = if_there(&path)? else { return Ok(None) };
        Ok(Some(table::read(shown(self.root, &path), &text, naming, self.reading)?))
    }

    /// The program that a command's first word means: the engine, a path, or a name that is looked for in PATH.
    pub(crate) fn program(&self, word: &Template, places: &Places) -> Result<Program, Hole> {
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

fn if_there(path: &Path) -> Result<Option<String>, OpenError> {
    match read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Read { path: path.into(), source }),
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
