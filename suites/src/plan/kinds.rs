//! The kinds of suites.

use std::sync::Arc;

use crate::custom::CustomLoader;
use crate::kind::Loader;
use crate::test262::Test262Loader;
use crate::v8::facts::{D8, RunFacts};
use crate::v8::suites::V8Loader;

/// All kinds, in the order in which a directory is asked: a `suite.toml` comes before what is known of a suite of that
/// name.
pub fn kinds(run: &Arc<RunFacts>) -> Vec<Box<dyn Loader>> {
    vec![
        Box::new(custom(run)),
        Box::new(Test262Loader::new(Arc::clone(run))),
        Box::new(V8Loader::new(Arc::clone(run))),
    ]
}

/// Suites of one's own know nothing of V8's rules.
fn custom(run: &RunFacts) -> CustomLoader {
    let build = run.options.shell_dir.as_ref().map(|dir| run.root().join(dir));
    CustomLoader {
        root: run.root().to_owned(),
        shell: run.program(D8),
        build: build.or_else(|| run.build.dir.clone()),
        prefix: run.prefix.clone(),
        on_predictable_build: run.is_predictable(),
    }
}
