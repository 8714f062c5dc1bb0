//! TESTS of a command line by name alone: of tests that may be gone, as a history has them.

use std::sync::Arc;

use flotilla_messages::case::normalize;

use crate::files::select::{NameFilter, Selector};
use crate::kit::error::OpenError;
use crate::kit::options::Options;
use crate::plan::choose::Among;
use crate::plan::kinds::kinds;
use crate::v8::facts::{Ground, RunFacts};

/// Which tests were asked for: suites, tests, globs, groups and paths, as a run understands them.
#[derive(Debug)]
pub struct Wanted {
    selectors: Vec<Selector>,
    /// One for each selector.
    filters: Vec<NameFilter>,
}

impl Wanted {
    /// What `options.tests` mean in this tree; no suite is opened.
    ///
    /// # Errors
    /// What is wrong with the tree, and what names no suite of it.
    pub fn read(options: &Options) -> Result<Self, OpenError> {
        let mut options = options.clone();
        options.root = normalize(&options.root);
        let ground = Ground::read(&options)?;
        let run = Arc::new(RunFacts::new(options, ground)?);
        let among = Among { run: &run, test_root: &run.test_root(), kinds: &kinds(&run) };
        let selectors = among.selectors()?;
        let filters = (0..).zip(&selectors).map(|numbered| NameFilter::new([numbered].into_iter())).collect();
        Ok(Self { selectors, filters })
    }

    /// Whether `mjsunit/a` was asked for; `matched` is told the indices of what asked for it.
    pub fn takes(&self, test: &str, mut matched: impl FnMut(usize)) -> bool {
        if self.selectors.is_empty() {
            return true;
        }
        let (suite, name) = test.split_once('/').unwrap_or((test, ""));
        let mut taken = false;
        for (index, (selector, filter)) in self.selectors.iter().zip(&self.filters).enumerate() {
            if selector.suite == suite && filter.takes(name, |_| ()) {
                matched(index);
                taken = true;
            }
        }
        taken
    }

    /// What was typed, in the order of the indices; what a group brought is not among it.
    pub fn typed(&self) -> impl Iterator<Item = (usize, &str)> {
        let typed = self.selectors.iter().enumerate().filter(|(_, selector)| !selector.from_group);
        typed.map(|(index, selector)| (index, selector.text.as_str()))
    }
}
