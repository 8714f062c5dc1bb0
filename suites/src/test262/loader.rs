//! How a bare checkout is opened.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_messages::Program;

use super::choice::{FeatureFilter, selector};
use super::host::Host;
use super::suite::Test262Suite;
use crate::expectations::StatusFile;
use crate::files::select::Pattern;
use crate::kind::opening::Typed;
use crate::kind::{Candidate, Loader, Opened, Opening, VariantChoice};
use crate::kit::error::OpenError;
use crate::syntax::read::read;
use crate::v8::dialect::{Layout, SuiteRules, TEST262};
use crate::v8::facts::{D8, RunFacts};
use crate::v8::runner_source::SuiteConfig;
use crate::v8::suites::walk_rules;

/// Opens a bare checkout: a tree that is one suite.
#[derive(Clone, Debug)]
pub struct Test262Loader {
    run: Arc<RunFacts>,
}

impl Test262Loader {
    /// Of a run.
    pub fn new(run: Arc<RunFacts>) -> Self {
        Self { run }
    }

    fn rules(&self) -> Option<&'static SuiteRules> {
        self.run.dialect.suites.find(TEST262)
    }

    fn open(&self, rules: &SuiteRules, opening: &Opening<'_>) -> Result<Opened, OpenError> {
        let run = &self.run;
        let path = opening.dir.path().join(format!("{}.status", opening.name));
        let bytes = match read(&path) {
            // Nobody's checkout has one, unless somebody has written down what his engine does.
            Err(error) if error.kind() == io::ErrorKind::NotFound => b"[]".to_vec(),
            bytes => bytes.map_err(|source| OpenError::Read { path: path.clone(), source })?,
        };
        let shown = path.strip_prefix(run.root()).unwrap_or(&path);
        let status = StatusFile::read(shown, &String::from_utf8_lossy(&bytes), opening.reading)?;
        let program = run.program(D8);
        let suite = Test262Suite {
            walk: walk_rules(rules, &SuiteConfig::default(), false),
            host: self.host(&program)?,
            features: FeatureFilter::read(run.root(), &run.options.features)?,
            program,
            variants: VariantChoice::default(),
            run: Arc::clone(run),
        };
        Ok(Opened { suite: Some(Box::new(Arc::new(suite))), status, ..Opened::default() })
    }

    /// What the shell is told.
    fn host(&self, program: &Program) -> Result<Host, OpenError> {
        Ok(match (&self.run.options.host, program) {
            (Some(name), _) => Host::named(name)?,
            (None, Program::Builtin) => Host::builtin()?,
            (None, Program::Shell(shell)) => Host::of_shell(Path::new(&shell.relative()))?,
        })
    }
}

impl Loader for Test262Loader {
    fn recognizes(&self, dir: &Path, _: &str) -> bool {
        self.whole_tree().is_some() && dir == self.run.root()
    }

    fn whole_tree(&self) -> Option<&'static str> {
        (self.run.dialect.layout == Layout::Bare).then_some(TEST262)
    }

    fn pattern(&self, dir: &Path, _: &str, typed: Typed<'_>) -> Option<Pattern> {
        Some(selector(dir, self.run.options.here.as_deref(), typed.inside).pattern)
    }

    fn choose(&self, dir: PathBuf, name: &str) -> Result<Option<Candidate<'_>>, OpenError> {
        let rules = self.rules().filter(|_| self.recognizes(&dir, name));
        Ok(rules.map(|rules| Candidate {
            name: name.to_owned(),
            dir,
            needs_build: false,
            also: None,
            open: Box::new(|opening| self.open(rules, opening)),
        }))
    }
}
