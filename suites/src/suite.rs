//! A selected suite of the tree.

use std::path::{Path, PathBuf};

use flotilla_messages::case::normalize;
use flotilla_messages::{Arg, Program};

use crate::bases::Base;
use crate::dialect::SuiteRules;
use crate::listed::ListedTest;
use crate::own::OwnSuite;
use crate::select::NameFilter;
use crate::status::Expectations;
use crate::test262::{FeatureFilter, Host};
use crate::walk::WalkRules;
use crate::wasm::FlagTables;

/// A suite with all that its tests share.
#[derive(Debug)]
pub struct Suite {
    /// Its name, which is its directory's.
    pub name: String,
    /// Its rules.
    pub rules: &'static SuiteRules,
    /// Its directory.
    pub dir: Place,
    /// Its directories of tests, in byte order, as V8 walks them.
    pub test_dirs: Vec<Place>,
    /// Which of the files there are tests.
    pub walk: WalkRules,
    /// What is expected of its tests.
    pub status: Expectations,
    /// What its `suite.toml` says, if it has one.
    pub own: Option<OwnSuite>,
    /// Which of its tests were asked for.
    pub filter: NameFilter,
    /// Its tests, where they are not simply files.
    pub listed: Vec<ListedTest>,
    /// Their programs, where they are not the suite's; by the shell's name.
    pub programs: Vec<(String, Program)>,
    /// The variant that its tests run in whether it was asked for or not, among the tree's.
    pub also: Option<usize>,
    /// The variants that its tests run in besides `default`, where they do not run in all.
    pub additional_variants: Vec<String>,
    /// The files before each test.
    pub before: Vec<Arg>,
    /// The file behind these when the number fuzzer runs the tests.
    pub number_fuzzer_file: Option<Arg>,
    /// The files behind it.
    pub after: Vec<Arg>,
    /// What runs its tests.
    pub program: Program,
    /// wasm-js, wasm-spec-tests: flags of tests by what their names say.
    pub flag_tables: FlagTables,
    /// Flags before those of a test's source, where these tables say nothing.
    pub source_flags: Vec<String>,
    /// test262: flags for features.
    pub feature_flags: Vec<(String, String)>,
    /// test262: whether a test of `staging` that V8 has a version of itself is listed once.
    pub local_staging_once: bool,
    /// test262: features whose tests are left out.
    pub skipped_features: Vec<String>,
    /// test262 by itself: what its shell is told.
    pub host: Option<Host>,
    /// test262 by itself: which features' tests run.
    pub features: FeatureFilter,
}

impl Suite {
    /// Whether d8 runs it.
    pub fn is_on_d8(&self) -> bool {
        self.rules.shell_flags.contains(&"--test")
    }

    /// A test's entry among those that are not simply files.
    pub fn listed(&self, base: &Base) -> Option<&ListedTest> {
        self.listed.get(base.listed as usize)
    }

    /// What runs a test.
    pub fn program_of(&self, base: &Base) -> &Program {
        let shell = self.listed(base).and_then(|test| test.shell.as_ref());
        let own = shell.and_then(|shell| self.programs.iter().find(|(name, _)| name == shell));
        own.map_or(&self.program, |(_, program)| program)
    }

    /// Whether any test is run by the suite's own program.
    pub fn needs_its_program(&self) -> bool {
        let has_others = self.own.as_ref().is_some_and(|own| own.program_of_test.is_some());
        !has_others && (self.listed.is_empty() || self.listed.iter().any(|test| test.shell.is_none()))
    }
}

/// A directory whose files become arguments: relative to the root if it lies below it.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
    /// Relative to the root, with a slash behind, if it is below the root.
    relative: Option<String>,
}

impl Place {
    /// The directory `path` of a tree whose root is `root`.
    pub fn new(root: &Path, path: &Path) -> Self {
        let path = normalize(path);
        let relative = match Arg::below(root, &path) {
            Arg::Path(relative) if relative.is_empty() => Some(String::new()),
            Arg::Path(relative) => Some(format!("{relative}/")),
            _ => None,
        };
        Self { path, relative }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file `name` in it, as an argument. The name is taken as it is.
    pub fn arg(&self, name: &str) -> Arg {
        match &self.relative {
            Some(relative) => Arg::Path(format!("{relative}{name}")),
            None => Arg::Text(self.path.join(name).to_string_lossy().into_owned()),
        }
    }

    /// The file `name` in it, where the name may lead out of it.
    pub fn arg_normalized(&self, root: &Path, name: &str) -> Arg {
        Arg::below(root, &normalize(&self.path.join(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_relative_to_the_root_where_they_can_be() {
        let root = Path::new("/v8");
        let inside = Place::new(root, Path::new("/v8/test/./mjsunit"));
        assert_eq!(inside.arg("a/b.js"), Arg::Path("test/mjsunit/a/b.js".into()));
        assert_eq!(inside.arg_normalized(root, "../x.js"), Arg::Path("test/x.js".into()));
        let outside = Place::new(root, Path::new("/other/mjsunit"));
        assert_eq!(outside.arg("b.js"), Arg::Text("/other/mjsunit/b.js".into()));
        assert_eq!(Place::new(root, root).arg("b.js"), Arg::Path("b.js".into()));
    }
}
