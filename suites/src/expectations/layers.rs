//! All that is expected of one suite's tests: its own status file, and above it what else was given.
//!
//! What a file above says of a test's outcome stands in the place of what is said below, so that an expectation can be
//! lifted as well as made (Chromium's `--additional-expectations` does the same); words that are no outcomes (SLOW,
//! HEAVY, NO_VARIANTS) and flags are added. Within one file all that matches a test counts, as in V8's.

use std::path::Path;

use super::entries::{Entry, Layer};
use super::file::StatusFile;
use super::outcomes::Outcomes;

/// The words that say how a test ends, or that it is not to be run.
const DECIDING: Outcomes = Outcomes::PASS
    .or(Outcomes::FAIL)
    .or(Outcomes::CRASH)
    .or(Outcomes::TIMEOUT)
    .or(Outcomes::SKIP)
    .or(Outcomes::FAIL_OK)
    .or(Outcomes::FAIL_SLOPPY)
    .or(Outcomes::FAIL_PHASE_ONLY)
    .or(Outcomes::OKAY);

/// What is expected of one suite's tests.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    own: StatusFile,
    /// Later ones come before earlier ones.
    layers: Vec<Layer>,
}

/// A place that says something of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// The rule or entry, as written.
    pub rule: &'a str,
    /// The condition under which it holds, as written; empty if it always does.
    pub condition: &'a str,
    /// Its file.
    pub file: &'a Path,
    /// Its line, from 1.
    pub line: usize,
    /// What it says.
    pub outcomes: Outcomes,
    /// Why, in the words of who wrote it.
    pub reason: Option<&'a str>,
}

impl Expectations {
    /// A suite's own status file, and what stands above it.
    pub fn new(own: StatusFile, layers: Vec<Layer>) -> Self {
        Self { own, layers }
    }

    /// The suite's own status file.
    pub fn own(&self) -> &StatusFile {
        &self.own
    }

    /// What stands above it.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The outcomes of a test for all variants and modes alike. What only some of them may be expected is left to
    /// [`Self::outcomes_of`].
    pub fn outcomes(&self, test: &str) -> Outcomes {
        let mut outcomes = self.layered(test, self.own.outcomes(test), None);
        // It may be another in one of them.
        if outcomes.has(Outcomes::SKIP) && self.layers.iter().any(|layer| layer.is_specific(test)) {
            outcomes = outcomes.without(Outcomes::SKIP);
        }
        outcomes
    }

    /// The outcomes of a test under one selected variant and in one mode; `general` is what [`Self::outcomes`] gave.
    pub fn outcomes_of(&self, test: &str, general: Outcomes, variant: usize, strict: bool) -> Outcomes {
        let of_variant = self.own.outcomes_of_variant(test, variant);
        if self.layers.is_empty() {
            return general | of_variant;
        }
        self.layered(test, self.own.outcomes(test) | of_variant, Some((variant, strict)))
    }

    fn layered(&self, test: &str, below: Outcomes, part: Option<(usize, bool)>) -> Outcomes {
        self.layers.iter().fold(below, |below, layer| {
            let said = said(layer, test, part);
            if said.has(DECIDING) { below.without(DECIDING) | said } else { below | said }
        })
    }

    /// The flags that a test gets under one selected variant, or under none.
    pub fn flags(&self, test: &str, variant: Option<usize>, strict: bool) -> Vec<String> {
        let mut flags = self.own.flags(test, variant);
        let part = variant.map(|variant| (variant, strict));
        let more = self.layers.iter().flat_map(|layer| layer.matching(test, part));
        for flag in more.flat_map(|entry| &entry.flags) {
            if !flags.contains(flag) {
                flags.push(flag.clone());
            }
        }
        flags
    }

    /// The place that says any of these words of a test; the topmost one that decides.
    pub fn why<'a>(
        &'a self,
        test: &'a str,
        variant: Option<usize>,
        strict: bool,
        words: Outcomes,
    ) -> Option<Said<'a>> {
        let part = variant.map(|variant| (variant, strict));
        for layer in self.layers.iter().rev() {
            if let Some(entry) = layer.matching(test, part).find(|entry| entry.outcomes.has(words)) {
                return Some(Said::of(entry, layer.file().path.as_path()));
            }
            if said(layer, test, part).has(DECIDING) && words.without(DECIDING).is_empty() {
                return None;
            }
        }
        let rule = self.own.why(test, variant, words)?;
        Some(Said {
            rule: &rule.rule,
            condition: &rule.condition,
            file: self.own.path(),
            line: rule.line,
            outcomes: rule.outcomes,
            reason: None,
        })
    }
}

fn said(layer: &Layer, test: &str, part: Option<(usize, bool)>) -> Outcomes {
    layer.matching(test, part).fold(Outcomes::default(), |all, entry| all | entry.outcomes)
}

impl<'a> Said<'a> {
    fn of(entry: &'a Entry, file: &'a Path) -> Self {
        Self {
            rule: &entry.text,
            condition: &entry.condition,
            file,
            line: entry.line,
            outcomes: entry.outcomes,
            reason: entry.reason.as_deref(),
        }
    }
}

/// `Rule 'a*' (ALWAYS) in test/s/s.status:3 says FAIL.`, with the reason behind it.
impl std::fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rule '{}' ", self.rule)?;
        if !self.condition.is_empty() {
            write!(f, "({}) ", self.condition)?;
        }
        write!(f, "in {}:{} says {}.", self.file.display(), self.line, self.outcomes)?;
        self.reason.map_or(Ok(()), |reason| write!(f, " Reason: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::entries::{EntryFile, Half, Naming};
    use super::super::{Reading, Syntax, Variables, Vocabulary};
    use super::*;

    fn expectations(status: &str, layers: &[Vec<Entry>]) -> Expectations {
        let mut variables = Variables::default();
        variables.constants(["stress", "default"]);
        let reading = Reading {
            variables: &variables,
            all_variants: &["stress", "default"],
            selected: &["stress", "default"],
            vocabulary: Vocabulary::Modern,
            syntax: Syntax::Python,
            keywords: None,
        };
        let own = StatusFile::read(Path::new("s.status"), status, reading).unwrap();
        let layer = |entries: &Vec<Entry>| {
            let mut file = EntryFile::new(Path::new("list"), Naming::Across);
            file.entries = entries.clone();
            Layer::new(&Arc::new(file), "s")
        };
        Expectations::new(own, layers.iter().map(layer).collect())
    }

    fn entry(text: &str, outcomes: Outcomes) -> Entry {
        Entry::new(text, 7, outcomes)
    }

    #[test]
    fn what_stands_above_decides_and_the_rest_is_added() {
        let own = "[[ALWAYS, {'a': [FAIL, SLOW], 'b': [SKIP], 'c': [FAIL]}]]";
        let lists = [
            vec![entry("s/a", Outcomes::PASS), entry("s/b", Outcomes::CRASH)],
            vec![entry("s/b", Outcomes::HEAVY), entry("s/c", Outcomes::SLOW)],
        ];
        let all = expectations(own, &lists);
        let outcomes = |test| all.outcomes_of(test, all.outcomes(test), 0, false).to_string();
        assert_eq!(outcomes("a"), "PASS, SLOW");
        assert_eq!(outcomes("b"), "CRASH, HEAVY");
        assert_eq!(outcomes("c"), "FAIL, SLOW");
        assert_eq!(all.outcomes("b").to_string(), "CRASH, HEAVY");
    }

    #[test]
    fn the_place_that_decides_is_named() {
        let own = "[[ALWAYS, {'a': [FAIL], 'b': [FAIL], 'c': [FAIL]}]]";
        let because = Entry { reason: Some("bug 1".into()), ..entry("s/b", Outcomes::FAIL) };
        let all = expectations(own, &[vec![entry("s/a", Outcomes::PASS), because]]);
        let why = |test| all.why(test, None, false, Outcomes::FAIL).map(|said| said.to_string());
        assert_eq!(why("a"), None, "it is no longer expected");
        assert_eq!(why("b").unwrap(), "Rule 's/b' in list:7 says FAIL. Reason: bug 1");
        assert_eq!(why("c").unwrap(), "Rule 'c' (ALWAYS) in s.status:1 says FAIL.");
    }

    #[test]
    fn one_mode_may_be_expected_otherwise_than_the_other() {
        let strict = Entry { half: Some(Half::Strict), ..entry("s/a", Outcomes::FAIL) };
        let all = expectations("[[ALWAYS, {'a': [SKIP]}]]", &[vec![strict]]);
        let of = |strict| all.outcomes_of("a", all.outcomes("a"), 0, strict);
        assert!(!all.outcomes("a").has(Outcomes::SKIP), "one half runs");
        assert_eq!((of(true).to_string(), of(false).to_string()), ("FAIL".into(), "SKIP".into()));
    }

    #[test]
    fn flags_of_all_places_are_added() {
        let flags = |text: &str| Entry { flags: vec![text.into()], ..entry("s/a", Outcomes::default()) };
        let all = expectations("[[ALWAYS, {'a': ['--x']}]]", &[vec![flags("--y"), flags("--x")]]);
        assert_eq!(all.flags("a", Some(0), false), ["--x", "--y"]);
        assert!(all.outcomes("a").is_empty());
    }
}
