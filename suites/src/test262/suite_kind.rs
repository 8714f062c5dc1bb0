//! What a checkout of test262 answers as a kind of suite.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_messages::Program;

use super::case::Test262Prepared;
use super::suite::{TESTS, Test262Suite};
use crate::files::select::NameFilter;
use crate::files::walk::{FileKey, FoundFile, walk};
use crate::kind::{
    Bound, EMPTY, Engine, Needs, PreparedTest, Source, SuiteKind, TestKey, TestRef, VariantChoice,
};
use crate::syntax::read::read;

/// The extension of tests.
const EXTENSION: &str = ".js";

impl SuiteKind for Arc<Test262Suite> {
    fn tests(
        &self,
        enter: &dyn Fn(&str) -> bool,
        visit: &mut dyn FnMut(&str, TestKey),
        warnings: &mut Vec<String>,
    ) {
        let visit = |file: FoundFile<'_>| {
            let key = FileKey { dir: 0, extension: 0, utf8: file.utf8 };
            visit(file.name, TestKey(key.pack()));
        };
        walk(&self.tests_dir(), &self.walk, enter, visit, warnings);
    }

    fn variants(&self) -> &VariantChoice {
        &self.variants
    }

    fn programs(&self) -> Vec<&Program> {
        vec![&self.program]
    }

    fn runs(&self, _: TestKey, program: &Program) -> bool {
        self.program == *program
    }

    /// No host prints hashes of its allocations.
    fn is_predictable(&self) -> bool {
        false
    }

    fn sources_choose(&self) -> bool {
        true
    }

    fn has_labels(&self) -> bool {
        true
    }

    fn source(&self, test: TestRef<'_>) -> Source {
        Source::File(self.tests_dir().join(format!("{}{EXTENSION}", test.name)))
    }

    fn prepare(&self, test: TestRef<'_>) -> Result<Box<dyn PreparedTest>, String> {
        if !FileKey::unpack(test.key.0).utf8 {
            return Err("its file name is not UTF-8".into());
        }
        let file = format!("{TESTS}/{}{EXTENSION}", test.name);
        let path = self.run.root().join(&file);
        let source = read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        Ok(Box::new(Test262Prepared::read(self, test.name, file, &source)?))
    }

    /// The harness, and the directories of the tests, where their fixtures are.
    fn needs(&self, _: &str, filter: &NameFilter) -> Result<Needs, Bound> {
        let mut paths = vec![PathBuf::from("harness")];
        paths.extend(filter.directories().map(|dir| Path::new(TESTS).join(dir)));
        let engines = vec![Engine { program: self.program.clone(), probe: Some(EMPTY) }];
        Ok(Needs { paths, engines, native: false, rest: false })
    }
}
