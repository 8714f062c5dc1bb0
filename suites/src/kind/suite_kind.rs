//! A suite as its kind knows it, and a test of it.

use std::fmt;
use std::path::PathBuf;

use flotilla_messages::{Program, TestCase};

use super::{Bound, CaseContext, Labels, Needs, VariantChoice};
use crate::expectations::Outcomes;
use crate::files::select::NameFilter;

/// What a kind of suite must answer: a suite of it, opened for one run.
///
/// Asked from several threads.
pub trait SuiteKind: fmt::Debug + Send + Sync {
    /// Calls `visit` with the name and the key of each test, in the order in which they start. Directories of which `enter`
    /// says false (`a/b/`) hold no test that was asked for, and need not be walked. What a person should know goes to
    /// `warnings`.
    fn tests(
        &self,
        enter: &dyn Fn(&str) -> bool,
        visit: &mut dyn FnMut(&str, TestKey),
        warnings: &mut Vec<String>,
    );

    /// Which variants the tests run in.
    fn variants(&self) -> &VariantChoice;

    /// The programs that the tests run, the one that most of them run first.
    fn programs(&self) -> Vec<&Program>;

    /// Whether a test runs one of these programs.
    fn runs(&self, test: TestKey, program: &Program) -> bool;

    /// Whether programs without a directory are looked for in PATH.
    fn looks_in_path(&self) -> bool {
        false
    }

    /// Why none of the tests run on this build; they are listed as skipped.
    fn skipped_on_build(&self) -> Option<&'static str> {
        None
    }

    /// Whether a predictable build can compare the allocations of any test; those of others are not listed at all.
    fn is_predictable(&self) -> bool {
        true
    }

    /// Whether the tests' sources say which instances they have, and whether they are skipped.
    fn sources_choose(&self) -> bool {
        false
    }

    /// Whether the tests have [`Labels`].
    fn has_labels(&self) -> bool {
        false
    }

    /// A test's source.
    fn source(&self, test: TestRef<'_>) -> Source;

    /// Reads what a test's source says, for all of its instances.
    ///
    /// # Errors
    /// Why the test cannot be run.
    fn prepare(&self, test: TestRef<'_>) -> Result<Box<dyn PreparedTest>, String>;

    /// What another machine needs to run the tests that `filter` takes.
    ///
    /// # Errors
    /// Why they can run on this machine alone.
    fn needs(&self, suite: &str, filter: &NameFilter) -> Result<Needs, Bound>;
}

/// A test whose source was read.
pub trait PreparedTest: fmt::Debug + Send + Sync {
    /// Which modes it runs in.
    fn strictness(&self) -> Strictness {
        Strictness::Sloppy
    }

    /// Whether it has no instances, and is not listed.
    fn is_left_out(&self) -> bool {
        false
    }

    /// Why it does not run, whatever is expected of it.
    fn skipped(&self) -> Option<&SkippedByHost> {
        None
    }

    /// What it is about.
    fn labels(&self, _name: &str) -> Option<Labels> {
        None
    }

    /// Whether a predictable build can compare the allocations of an instance.
    fn is_predictable(&self, _context: &CaseContext<'_>) -> bool {
        true
    }

    /// The case of one instance.
    ///
    /// # Errors
    /// Why it cannot be run.
    fn case(&self, context: CaseContext<'_>) -> Result<TestCase, String>;
}

/// By what a kind knows one of its tests: a number that means something to the kind alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestKey(pub u32);

/// One of a suite's tests.
#[derive(Clone, Copy, Debug)]
pub struct TestRef<'a> {
    /// Its name within the suite.
    pub name: &'a str,
    /// What the kind told with the name.
    pub key: TestKey,
    /// Its outcomes for all variants alike.
    pub outcomes: Outcomes,
}

/// Where a test's source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This text.
    Text(String),
    /// This file.
    File(PathBuf),
}

/// Which modes a test runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// As it stands.
    #[default]
    Sloppy,
    /// In strict mode.
    Strict,
    /// Once as it stands, once in strict mode.
    Both,
    /// As a module.
    Module,
}

/// Why a test is skipped, whatever is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedByHost {
    /// In words, or the option.
    pub reason: String,
    /// Whether the host cannot run it, rather than nobody wanting it.
    pub by_host: bool,
}
