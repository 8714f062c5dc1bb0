//! The tests on disk, before variants: a compact table in the order they start.

use crate::expectations::Outcomes;
use crate::kind::TestKey;
use crate::plan::suite::Suite;

/// A test before variants.
#[derive(Clone, Copy, Debug)]
pub struct TestFile {
    name_start: u32,
    name_len: u32,
    /// Index of its suite.
    pub suite: u16,
    /// By what the suite's kind knows it.
    pub key: TestKey,
    /// Its outcomes for all variants alike.
    pub outcomes: Outcomes,
}

impl TestFile {
    /// Orders a suite's tests as they were found.
    pub fn found(&self) -> u32 {
        self.name_start
    }
}

/// In which order tests start.
#[derive(Clone, Copy, Debug)]
pub enum StartOrder {
    /// As they were found.
    Found,
    /// Those with one of these words first.
    First(Outcomes),
    /// HEAVY ones first, then SLOW ones, then the others.
    HeavyThenSlow,
}

/// All tests that were asked for.
#[derive(Debug, Default)]
pub struct TestFiles {
    /// Every name, one behind the other.
    names: String,
    /// In the order they start; suites as selected, tests as walked.
    list: Vec<TestFile>,
    /// By selector: whether it matched a test.
    matched: Vec<bool>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl TestFiles {
    /// Walks the suites.
    pub fn find(suites: &[Suite], selectors: usize, order: StartOrder) -> Self {
        let mut bases = Self { matched: vec![false; selectors], ..Self::default() };
        for (i, suite) in suites.iter().enumerate() {
            bases.find_in(suite, u16::try_from(i).unwrap_or(u16::MAX));
        }
        // Stable, so that each part keeps its order.
        match order {
            StartOrder::Found => {}
            StartOrder::First(words) => bases.list.sort_by_key(|base| !base.outcomes.has(words)),
            StartOrder::HeavyThenSlow => bases.list.sort_by_key(|base| {
                let heavy = base.outcomes.has(Outcomes::HEAVY);
                (!heavy, heavy || !base.outcomes.has(Outcomes::SLOW))
            }),
        }
        bases
    }

    fn find_in(&mut self, suite: &Suite, index: u16) {
        let Self { names, list, matched, warnings } = self;
        let mut visit = |name: &str, key: TestKey| {
            if !suite.filter.takes(name, |selector| matched[selector] = true) {
                return;
            }
            // 4 GiB of names are out of any tree's reach; what lies beyond is left out, not miscounted.
            let (Ok(name_start), Ok(name_len)) = (u32::try_from(names.len()), u32::try_from(name.len()))
            else {
                return;
            };
            names.push_str(name);
            let outcomes = suite.status.outcomes(name);
            list.push(TestFile { name_start, name_len, suite: index, key, outcomes });
        };
        suite.kind.tests(&|prefix| suite.filter.may_take_below(prefix), &mut visit, warnings);
    }

    /// A test's name within its suite.
    pub fn name(&self, base: &TestFile) -> &str {
        let start = base.name_start as usize;
        self.names.get(start..start + base.name_len as usize).unwrap_or_default()
    }

    /// The test of this number.
    pub fn get(&self, index: u32) -> Option<&TestFile> {
        self.list.get(index as usize)
    }

    /// All tests with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &TestFile)> {
        (0..).zip(&self.list)
    }

    /// Whether a selector matched any test.
    pub fn matched(&self, selector: usize) -> bool {
        self.matched.get(selector).copied().unwrap_or_default()
    }
}
