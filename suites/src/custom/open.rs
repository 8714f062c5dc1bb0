//! Opening a suite of one's own: its program, its tests, what is expected of them.

use std::path::Path;
use std::sync::Arc;

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Program};

use super::config::{Config, CustomKind};
use super::find;
use super::opening::{CustomOpening, FILE};
use super::places::{SuitePlaces, nothing_for};
use super::suite::CustomSuite;
use super::template::Hole;
use crate::expectations::{EntryFile, Naming, Reading, StatusFile, Syntax, Vocabulary, table};
use crate::kind::{Opened, VariantChoice};
use crate::kit::error::OpenError;
use crate::kit::place::Place;
use crate::syntax::read::read;

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

impl CustomOpening<'_> {
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
        let mut places = SuitePlaces {
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
        if let CustomKind::GoogleTest { program } = &config.kind {
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
        let listing =
            find::TestListing { opening: self, config: &config, places: &places, test_dir: &test_dir };
        let find::FoundTests { listed, disabled, warnings } = listing.find(&refuse)?;
        let more = disabled.into_iter().chain([tables]).chain(expect_file).collect();
        // An engine that other programs run is needed as well.
        let engine = args.has(Hole::Shell).then(|| self.shell.clone());
        let suite = CustomSuite {
            probe: matches!(config.kind, CustomKind::GoogleTest { .. }).then_some("--gtest_list_tests"),
            variants: VariantChoice {
                only: if config.variants { Vec::new() } else { vec!["default".into()] },
                ..VariantChoice::default()
            },
            program_of_test: program.is_none().then_some(first),
            program: program.unwrap_or(Program::Builtin),
            engine,
            listed,
            on_predictable_build: self.on_predictable_build,
            dir: self.dir.clone(),
            test_dir,
            config,
            places,
            args,
        };
        Ok(Opened { suite: Some(Box::new(Arc::new(suite))), status, more, warnings, ..Opened::default() })
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
}

fn if_there(path: &Path) -> Result<Option<String>, OpenError> {
    match read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Read { path: path.into(), source }),
    }
}
