//! The tests on disk, before variants: a compact table in the order they start.

use std::collections::HashSet;

use crate::expectations::Outcomes;
use crate::files::walk::walk;
use crate::plan::suite::Suite;
use crate::v8::dialect::Listing;

/// A test before variants.
#[derive(Clone, Copy, Debug)]
pub struct TestFile {
    name_start: u32,
    name_len: u32,
    /// Index of its suite.
    pub suite: u16,
    /// Index of its directory among the suite's.
    pub dir: u8,
    /// Index of its extension among the suite's.
    pub extension: u8,
    /// Whether its path is UTF-8: if not, it cannot be run.
    pub utf8: bool,
    /// Its outcomes for all variants alike.
    pub outcomes: Outcomes,
    /// Its number among the suite's listed tests; meaningless where the suite has none.
    pub listed: u32,
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
        let first = self.list.len();
        let Self { names, list, matched, warnings } = self;
        for (listed, test) in (0..).zip(&suite.listed) {
            if !suite.filter.takes(&test.name, |selector| matched[selector] = true) {
                continue;
            }
            let (Ok(name_start), Ok(name_len)) = (u32::try_from(names.len()), u32::try_from(test.name.len()))
            else {
                continue;
            };
            names.push_str(&test.name);
            let outcomes = suite.status.outcomes(&test.name);
            let base = TestFile {
                name_start,
                name_len,
                suite: index,
                dir: 0,
                extension: 0,
                utf8: true,
                outcomes,
                listed,
            };
            list.push(base);
        }
        if suite.rules.listing != Listing::Files {
            return;
        }
        for (dir, place) in (0..).zip(&suite.test_dirs) {
            let enter = |prefix: &str| suite.filter.may_take_below(prefix);
            walk(
                place.path(),
                &suite.walk,
                enter,
                |file| {
                    if !suite.filter.takes(file.name, |selector| matched[selector] = true) {
                        return;
                    }
                    // 4 GiB of names are out of any tree's reach; what lies beyond is left out, not miscounted.
                    let (Ok(name_start), Ok(name_len)) =
                        (u32::try_from(names.len()), u32::try_from(file.name.len()))
                    else {
                        return;
                    };
                    names.push_str(file.name);
                    list.push(TestFile {
                        name_start,
                        name_len,
                        suite: index,
                        dir,
                        extension: u8::try_from(file.extension).unwrap_or_default(),
                        utf8: file.utf8,
                        outcomes: suite.status.outcomes(file.name),
                        listed: 0,
                    });
                },
                warnings,
            );
        }
        // A test in several directories of the suite is listed once for each, but the last one's file runs
        // (V8 9.2 test262: local-tests go before data).
        let mut later: HashSet<String> = HashSet::new();
        let mut once: HashSet<String> = HashSet::new();
        let mut last_dir = None;
        for i in (first..self.list.len()).rev() {
            let base = self.list[i];
            let last_dir = *last_dir.get_or_insert(base.dir);
            if base.dir == last_dir && last_dir > 0 {
                later.insert(self.name(&base).into());
            } else if last_dir > 0 && later.contains(self.name(&base)) {
                self.list[i].dir = last_dir;
                if suite.local_staging_once && self.name(&base).starts_with("staging") {
                    once.insert(self.name(&base).into());
                }
            }
        }
        if let Some(last_dir) = last_dir.filter(|_| !once.is_empty()) {
            // Each has been met in an earlier directory.
            let mut seen: HashSet<String> = HashSet::new();
            let mut found = self.list.split_off(first);
            found.retain(|base| {
                let name = self.name(base);
                !once.contains(name) || base.dir != last_dir || seen.insert(name.into())
            });
            self.list.append(&mut found);
        }
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
