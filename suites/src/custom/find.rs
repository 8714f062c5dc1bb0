//! Which tests a suite of one's own has.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use flotilla_messages::Arg;

use super::config::{Config, CustomKind};
use super::custom_test::{CustomTest, is_disabled};
use super::opening::{CustomOpening, FILE};
use super::places::{SuitePlaces, nothing_for};
use super::template::{Hole, Template, Values};
use crate::expectations::{Entry, EntryFile, Naming, Outcomes};
use crate::files::binary::{self, Ask};
use crate::files::walk::{WalkRules, walk};
use crate::kind::Source;
use crate::kit::error::OpenError;
use crate::kit::place::Place;

/// What looking for tests needs to know.
pub struct TestListing<'a> {
    /// The suite.
    pub opening: &'a CustomOpening<'a>,
    /// What it says.
    pub config: &'a Config,
    /// Where things are.
    pub places: &'a SuitePlaces,
    /// The directory of its tests.
    pub test_dir: &'a Place,
}

/// What was found.
#[derive(Default)]
pub struct FoundTests {
    /// The tests.
    pub listed: Vec<CustomTest>,
    /// GoogleTest: those that say themselves that they are not to be run.
    pub disabled: Option<EntryFile>,
    /// Things that a person should know.
    pub warnings: Vec<String>,
}

impl TestListing<'_> {
    /// The tests. A suite without any is an error: something that was asked for is missing.
    ///
    /// # Errors
    /// A program that does not name its tests, two tests of one name, none at all.
    pub fn find(&self, refuse: &dyn Fn(String) -> OpenError) -> Result<FoundTests, OpenError> {
        match &self.config.kind {
            CustomKind::Files { .. } => self.files(refuse),
            CustomKind::GoogleTest { program } => {
                // The program under test: what runs it elsewhere has to list it too. What merely knows names runs here.
                let mut command: Vec<OsString> = self.opening.prefix.iter().map(OsString::from).collect();
                command.extend(self.words(program, refuse)?);
                command.push("--gtest_list_tests".into());
                let mut names = self.ask(&command, binary::google_tests)?;
                names.sort_unstable();
                let mut found = named(names, refuse)?;
                let path = self.places.program.as_ref().map(Arg::relative).unwrap_or_default();
                let mut disabled = EntryFile::new(Path::new(&path), Naming::Within(self.opening.name.into()));
                disabled.literal = true;
                let names =
                    found.listed.iter().map(|test| test.name.as_str()).filter(|name| is_disabled(name));
                disabled.entries = names
                    .map(|name| Entry {
                        reason: Some("the test's own name says so".into()),
                        ..Entry::new(name, 0, Outcomes::SKIP)
                    })
                    .collect();
                found.disabled = Some(disabled);
                Ok(found)
            }
            CustomKind::List { list } => {
                let command = self.words(list, refuse)?;
                let lines = |text: &str| {
                    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect()
                };
                let names = self.ask(&command, lines)?;
                named(names, refuse)
            }
        }
    }

    /// The words of a command that lists; its program as the tests' would be found.
    fn words(
        &self,
        template: &Template,
        refuse: &dyn Fn(String) -> OpenError,
    ) -> Result<Vec<OsString>, OpenError> {
        let (first, rest) = template.clone().split_first();
        let nothing = |hole| refuse(nothing_for(hole));
        let program = match self.opening.program(&first, self.places).map_err(nothing)? {
            flotilla_messages::Program::Shell(path) => path,
            flotilla_messages::Program::Builtin => return Err(nothing(Hole::Shell)),
        };
        let rest = rest.fill(self.places).map_err(nothing)?;
        let root = self.places.root();
        Ok(std::iter::once(&program).chain(&rest).map(|arg| arg.resolve(root)).collect())
    }

    /// The names that a command prints.
    fn ask(
        &self,
        command: &[OsString],
        read: impl FnOnce(&str) -> Vec<String>,
    ) -> Result<Vec<String>, OpenError> {
        let ask = Ask { env: &self.config.env, unset: &self.config.unset_env, root: self.places.root() };
        let shown = || command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        ask.names(command, read).map_err(|source| OpenError::ListCommand {
            suite: self.opening.name.into(),
            command: shown(),
            source,
        })
    }

    fn files(&self, refuse: &dyn Fn(String) -> OpenError) -> Result<FoundTests, OpenError> {
        let CustomKind::Files { include, exclude, keep_extensions } = &self.config.kind else {
            return Ok(FoundTests::default());
        };
        let mut found = FoundTests::default();
        let own = [
            FILE.to_owned(),
            format!("{}.status", self.opening.name),
            format!("{}.expect.toml", self.opening.name),
        ];
        let is_suites = self.test_dir.path() == self.opening.dir.path();
        let mut seen: HashMap<String, String> = HashMap::new();
        let mut twice = None;
        let mut unnamed = Vec::new();
        let visit = |file: crate::files::walk::FoundFile<'_>| {
            let path = file.name;
            if is_suites && own.iter().any(|own| own == path)
                || !include.is_match(path)
                || exclude.is_match(path)
            {
                return;
            }
            if !file.utf8 {
                unnamed.push(path.to_owned());
                return;
            }
            let name = if *keep_extensions { path } else { stem(path) };
            if let Some(other) = seen.insert(name.to_owned(), path.to_owned()) {
                twice.get_or_insert((name.to_owned(), other, path.to_owned()));
            }
            found.listed.push(CustomTest {
                name: name.into(),
                file: Some(self.test_dir.arg(path)),
                source: Source::File(self.test_dir.path().join(path)),
            });
        };
        // Whatever a file is called, it may be a test.
        walk(self.test_dir.path(), &WalkRules::all_files(), |_| true, visit, &mut found.warnings);
        if let Some((name, one, other)) = twice {
            return Err(refuse(format!(
                "{one} and {other} would both be the test '{name}': exclude one of them, or set keep-extensions"
            )));
        }
        if let Some(first) = unnamed.first() {
            return Err(refuse(format!("the name of {first} is not UTF-8: exclude it, or rename it")));
        }
        if found.listed.is_empty() {
            return Err(refuse(format!("none of the files in {} is a test", self.test_dir.path().display())));
        }
        Ok(found)
    }
}

/// Tests that are only names.
fn named(names: Vec<String>, refuse: &dyn Fn(String) -> OpenError) -> Result<FoundTests, OpenError> {
    let mut seen = std::collections::HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(refuse(format!("the test '{name}' is listed twice")));
    }
    let test = |name: String| CustomTest { name, file: None, source: Source::Text(String::new()) };
    Ok(FoundTests { listed: names.into_iter().map(test).collect(), ..FoundTests::default() })
}

/// A path without the extension of its file; a name that begins with a dot has none.
pub fn stem(path: &str) -> &str {
    let file = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[file..].rfind('.') {
        Some(dot) if dot > 0 => &path[..file + dot],
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_without_extensions() {
        for (path, name) in [("a.js", "a"), ("d.x/b.test.js", "d.x/b.test"), ("d.x/b", "d.x/b"), (".a", ".a")]
        {
            assert_eq!(stem(path), name);
        }
    }

    #[test]
    fn disabled_tests_are_known_by_their_names() {
        for (name, disabled) in [
            ("A.b", false),
            ("A.DISABLED_b", true),
            ("DISABLED_A.b", true),
            ("P/DISABLED_A.b/0", true),
            ("A.xDISABLED_", false),
        ] {
            assert_eq!(is_disabled(name), disabled, "{name}");
        }
    }
}
