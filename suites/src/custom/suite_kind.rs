//! What a suite with a `suite.toml` answers as a kind of suite.

use std::path::Path;
use std::sync::Arc;

use flotilla_messages::Program;

use super::case::CustomPrepared;
use super::suite::CustomSuite;
use super::template::Values;
use crate::files::select::NameFilter;
use crate::kind::{Bound, Engine, Needs, PreparedTest, Source, SuiteKind, TestKey, TestRef, VariantChoice};

/// Why predictable builds skip suites of one's own.
const NOT_PREDICTABLE: &str = "a predictable build compares the allocations of V8's own tests only";

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
