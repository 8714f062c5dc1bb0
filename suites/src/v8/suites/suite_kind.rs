//! What one of V8's own suites answers as a kind of suite.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use flotilla_messages::{Arg, Program};

use super::case::V8Test;
use super::prepare::prepare;
use super::suite::V8Suite;
use crate::files::select::NameFilter;
use crate::files::walk::{FileKey, FoundFile, walk};
use crate::kind::{
    Bound, EMPTY, Engine, Needs, PreparedTest, Source, SuiteKind, TestKey, TestRef, VariantChoice,
};
use crate::v8::dialect::{Listing, Predictable};
use crate::v8::facts::PYTHON;

/// A shell that does not end by itself unless a script says so: it is asked for its usage instead of being given an
/// empty one.
const WAITING_SHELL: &str = "inspector-test";

impl V8Suite {
    /// Tests that are files.
    fn files(
        &self,
        enter: &dyn Fn(&str) -> bool,
        visit: &mut dyn FnMut(&str, TestKey),
        warnings: &mut Vec<String>,
    ) {
        let several = self.test_dirs.len() > 1;
        let mut found: Vec<(String, FileKey)> = Vec::new();
        for (dir, place) in (0..).zip(&self.test_dirs) {
            let visit = |file: FoundFile<'_>| {
                let extension = u8::try_from(file.extension).unwrap_or_default();
                let key = FileKey { dir, extension, utf8: file.utf8 };
                match several {
                    true => found.push((file.name.to_owned(), key)),
                    false => visit(file.name, TestKey(key.pack())),
                }
            };
            walk(place.path(), &self.walk, enter, visit, warnings);
        }
        let last_ones_run = last_ones_run(found, self.local_staging_once);
        last_ones_run.into_iter().for_each(|(name, key)| visit(&name, TestKey(key.pack())));
    }

    /// The word with which a program shows that it runs.
    fn probe(&self) -> &'static str {
        match self.rules.listing {
            // Given a file, these would run all of their tests.
            Listing::Binary(format) => format.option(),
            _ if self.rules.shell == WAITING_SHELL => "--help",
            // Whichever program stands in for d8 runs files.
            _ => EMPTY,
        }
    }
}

/// A test in several directories of the suite is listed once for each, but the last one's file runs (V8 9.2 test262:
/// local-tests go before data); `staging_once`: those of `staging` once only.
fn last_ones_run(mut found: Vec<(String, FileKey)>, staging_once: bool) -> Vec<(String, FileKey)> {
    let Some(last_dir) = found.last().map(|(_, key)| key.dir).filter(|dir| *dir > 0) else { return found };
    let earlier = found.partition_point(|(_, key)| key.dir < last_dir);
    let (earlier, last) = found.split_at_mut(earlier);
    let last: HashSet<&str> = last.iter().map(|(name, _)| name.as_str()).collect();
    let mut once: HashSet<String> = HashSet::new();
    for (name, key) in earlier.iter_mut().filter(|(name, _)| last.contains(name.as_str())) {
        key.dir = last_dir;
        if staging_once && name.starts_with("staging") {
            once.insert(name.clone());
        }
    }
    if !once.is_empty() {
        // Each has been met in an earlier directory.
        let mut seen: HashSet<String> = HashSet::new();
        found.retain(|(name, key)| !once.contains(name) || key.dir != last_dir || seen.insert(name.clone()));
    }
    found
}

impl SuiteKind for Arc<V8Suite> {
    fn tests(
        &self,
        enter: &dyn Fn(&str) -> bool,
        visit: &mut dyn FnMut(&str, TestKey),
        warnings: &mut Vec<String>,
    ) {
        for (number, test) in (0..).zip(&self.listed) {
            visit(&test.name, TestKey(number));
        }
        if self.rules.listing == Listing::Files {
            self.files(enter, visit, warnings);
        }
    }

    fn variants(&self) -> &VariantChoice {
        &self.variants
    }

    fn programs(&self) -> Vec<&Program> {
        let common = self.needs_its_program().then_some(&self.program);
        common.into_iter().chain(self.programs.iter().map(|(_, program)| program)).collect()
    }

    fn runs(&self, test: TestKey, program: &Program) -> bool {
        self.program_of(test) == program
    }

    fn is_predictable(&self) -> bool {
        self.run.dialect.predictable != Predictable::PositiveOnD8 || self.is_on_d8()
    }

    fn sources_choose(&self) -> bool {
        self.has_frontmatter()
    }

    fn source(&self, test: TestRef<'_>) -> Source {
        match self.listed(test.key) {
            Some(listed) => listed.source.clone(),
            None => Source::File(self.path(test.name, FileKey::unpack(test.key.0))),
        }
    }

    fn prepare(&self, test: TestRef<'_>) -> Result<Box<dyn PreparedTest>, String> {
        let prepared = prepare(self, test)?;
        Ok(Box::new(V8Test { suite: Arc::clone(self), key: test.key, prepared }))
    }

    /// The suite's directory with the files that it puts before and behind each test; `mjsunit`, whose helpers other suites
    /// load by path.
    fn needs(&self, suite: &str, _: &NameFilter) -> Result<Needs, Bound> {
        let below = |path: &Path| match path.strip_prefix(self.run.root()) {
            Ok(path) => Ok(path.to_owned()),
            Err(_) => Err(Bound::Suite(suite.to_owned())),
        };
        let dir = below(self.dir.path())?;
        let mut paths = vec![dir.with_file_name("mjsunit"), dir];
        for place in &self.test_dirs {
            paths.push(below(place.path())?);
        }
        paths.extend(self.before.iter().chain(&self.after).filter_map(|file| match file {
            Arg::Path(path) => Some(path.into()),
            _ => None,
        }));
        // Scripts of an interpreter run the suite's program.
        let interpreted = self.programs.iter().any(|(name, _)| name == PYTHON);
        let common = (self.needs_its_program() || interpreted).then_some(&self.program);
        let others = self.programs.iter().filter(|(name, _)| name != PYTHON).map(|(_, program)| program);
        let engine = |program: &Program| Engine { program: program.clone(), probe: Some(self.probe()) };
        let engines = common.into_iter().chain(others).map(engine).collect();
        Ok(Needs { paths, engines, native: false, rest: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_tests_in_several_directories_the_last_ones_file_runs() {
        let test = |name: &str, dir, extension| (name.to_owned(), FileKey { dir, extension, utf8: true });
        let found = vec![test("a", 0, 1), test("staging/s", 0, 0), test("only", 0, 0)];
        let data = [test("a", 1, 0), test("b", 1, 0), test("staging/s", 1, 0)];
        let all = [found.clone(), data.to_vec()].concat();
        let listed = |once| last_ones_run(all.clone(), once);
        let expected =
            [test("a", 1, 1), test("staging/s", 1, 0), test("only", 0, 0), data[0].clone(), data[1].clone()];
        assert_eq!(listed(true), expected);
        assert_eq!(listed(false), [expected.as_slice(), &data[2..]].concat());
        assert_eq!(last_ones_run(found.clone(), true), found, "one directory alone");
        assert!(last_ones_run(Vec::new(), true).is_empty());
    }
}
