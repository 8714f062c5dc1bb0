//! The words of a status file.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use flotilla_messages::Outcome;

/// A set of status file words: outcomes and modifiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes(u16);

/// Every word with its set.
const WORDS: [(&str, Outcomes); 15] = [
    ("PASS", Outcomes::PASS),
    ("FAIL", Outcomes::FAIL),
    ("CRASH", Outcomes::CRASH),
    ("SKIP", Outcomes::SKIP),
    ("SLOW", Outcomes::SLOW),
    ("HEAVY", Outcomes::HEAVY),
    ("FAIL_OK", Outcomes::FAIL_OK),
    ("NO_VARIANTS", Outcomes::NO_VARIANTS),
    ("FAIL_SLOPPY", Outcomes::FAIL_SLOPPY),
    ("FAIL_PHASE_ONLY", Outcomes::FAIL_PHASE_ONLY),
    ("TIMEOUT", Outcomes::TIMEOUT),
    ("OKAY", Outcomes::OKAY),
    ("FAST_VARIANTS", Outcomes::FAST_VARIANTS),
    ("FLAKY", Outcomes::FLAKY),
    ("FUZZ_RARE", Outcomes::FUZZ_RARE),
];

/// Words that not all versions have, and those that have them.
const VERSIONS: [(&str, &str); 7] = [
    ("FAST_VARIANTS", "V8 until 6.5"),
    ("FLAKY", "V8 3.19 to 5.1"),
    ("FUZZ_RARE", "V8 13.8 and later"),
    ("HEAVY", "V8 9.3 and later"),
    ("OKAY", "V8 until 6.5"),
    ("PASS_OR_FAIL", "V8 until 6.5"),
    ("TIMEOUT", "V8 until 6.5"),
];

/// Which words a tree's status files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// Those of V8 6 and later.
    Modern,
    /// Those of V8 3 to 5: TIMEOUT is an outcome that can be expected, FAIL_OK and PASS_OR_FAIL are short for two
    /// words each.
    Classic,
}

impl Vocabulary {
    /// The set that a word stands for.
    pub fn word(self, word: &str) -> Option<Outcomes> {
        match (self, word) {
            (Self::Classic, "FAIL_OK") => Some(Outcomes::FAIL | Outcomes::OKAY),
            (Self::Classic, "PASS_OR_FAIL") => Some(Outcomes::PASS | Outcomes::FAIL),
            (Self::Classic, "HEAVY" | "FAIL_PHASE_ONLY" | "FUZZ_RARE")
            | (Self::Modern, "TIMEOUT" | "OKAY" | "FAST_VARIANTS" | "FLAKY") => None,
            _ => Outcomes::word(word),
        }
    }

    /// Every word.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let all = WORDS.iter().map(|(name, _)| *name).chain(["PASS_OR_FAIL"]);
        all.filter(move |word| self.word(word).is_some())
    }
}

impl Outcomes {
    /// The test is expected to pass.
    pub const PASS: Self = Self(1);
    /// To fail.
    pub const FAIL: Self = Self(1 << 1);
    /// To crash.
    pub const CRASH: Self = Self(1 << 2);
    /// Not to be run.
    pub const SKIP: Self = Self(1 << 3);
    /// To take long: started first, given four times the time.
    pub const SLOW: Self = Self(1 << 4);
    /// To need much memory or many threads: few at once.
    pub const HEAVY: Self = Self(1 << 5);
    /// To fail, which is right.
    pub const FAIL_OK: Self = Self(1 << 6);
    /// Only the variant `default` makes sense.
    pub const NO_VARIANTS: Self = Self(1 << 7);
    /// test262: to fail in sloppy mode.
    pub const FAIL_SLOPPY: Self = Self(1 << 8);
    /// test262: to throw the right error in the wrong phase.
    pub const FAIL_PHASE_ONLY: Self = Self(1 << 9);

    /// To take longer than it may.
    pub const TIMEOUT: Self = Self(1 << 10);
    /// What is expected is right as it is: beside FAIL, nobody means to mend it.
    pub const OKAY: Self = Self(1 << 11);
    /// Only the variants `default` and `turbofan` make sense, with flags of their own.
    pub const FAST_VARIANTS: Self = Self(1 << 12);
    /// To be unreliable (V8 3.19 to 5.1): a remark, which changes nothing but for `--flaky-tests`.
    pub const FLAKY: Self = Self(1 << 13);

    /// To be chosen rarely: a remark for the number fuzzer (V8 13.8).
    pub const FUZZ_RARE: Self = Self(1 << 14);

    /// The versions that have a word, if not all do.
    pub fn known_to(word: &str) -> Option<&'static str> {
        VERSIONS.iter().find(|(name, _)| *name == word).map(|(_, versions)| *versions)
    }

    /// The set of this one word, whichever version knows it.
    pub fn word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(name, _)| *name == word).map(|(_, set)| *set)
    }

    /// Every word, whichever version knows it.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(name, _)| *name)
    }

    /// Both sets' words: `|`, in constants too.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any word of `other` is in this set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The set without the words of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is no word.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// V8's "flaky": PASS and FAIL, not CRASH. FAIL_OK does not count.
    pub fn is_pass_or_fail(self) -> bool {
        self.has(Self::PASS) && self.has(Self::FAIL) && !self.has(Self::CRASH | Self::OKAY)
    }

    /// The outcomes that are as expected, in V8's order; FAIL_SLOPPY means FAIL unless the test runs in strict mode.
    pub fn expected(self, strict: bool) -> Vec<Outcome> {
        if self.has(Self::FAIL_SLOPPY) && !strict {
            return vec![Outcome::Fail];
        }
        let mut expected = Vec::with_capacity(1);
        if self.has(Self::FAIL | Self::FAIL_OK) {
            expected.push(Outcome::Fail);
        }
        if self.has(Self::CRASH) {
            expected.push(Outcome::Crash);
        }
        if self.has(Self::TIMEOUT) {
            expected.push(Outcome::Timeout);
        }
        // PASS beside modifiers alone (PASS, SLOW) is what holds without any rule.
        if expected.is_empty() || self.has(Self::PASS) {
            expected.push(Outcome::Pass);
        }
        expected
    }

    /// PASS without FAIL or FAIL_OK.
    fn lone_pass(self) -> bool {
        self.has(Self::PASS) && !self.has(Self::FAIL | Self::FAIL_OK)
    }

    /// Joins what two sections say under one rule: the union, but a lone PASS gives way to a FAIL (V8 9.2
    /// `_ParseOutcomeList`: PASS in `PASS, SLOW` states the default, and is not meant to make a FAIL elsewhere flaky).
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let fails = |set: Self| set.has(Self::FAIL | Self::FAIL_OK);
        let mine = if self.lone_pass() && fails(other) { self.without(Self::PASS) } else { self };
        let others = if other.lone_pass() && fails(mine) { other.without(Self::PASS) } else { other };
        mine | others
    }
}

impl BitOr for Outcomes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Outcomes {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// The words, separated by commas.
impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (word, _) in WORDS.iter().filter(|(_, set)| self.has(*set)) {
            f.write_str(if std::mem::take(&mut first) { "" } else { ", " })?;
            f.write_str(word)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &str) -> Outcomes {
        words.split_whitespace().fold(Outcomes::default(), |set, word| set | Outcomes::word(word).unwrap())
    }

    #[test]
    fn a_lone_pass_gives_way_to_a_fail_from_either_side() {
        for (one, other, joined) in [
            ("PASS SLOW", "FAIL", "SLOW FAIL"),
            ("FAIL", "PASS SLOW", "SLOW FAIL"),
            ("PASS SLOW", "FAIL_OK", "SLOW FAIL_OK"),
            ("PASS FAIL", "FAIL", "PASS FAIL"),
            ("PASS SLOW", "PASS FAIL", "PASS FAIL SLOW"),
            ("PASS", "CRASH", "PASS CRASH"),
            ("PASS", "SKIP", "PASS SKIP"),
        ] {
            assert_eq!(set(one).join(set(other)), set(joined), "{one} + {other}");
        }
        // With FAIL in both, the first one's PASS stands beside its own FAIL; the second one's lone PASS never does.
        assert_eq!(set("PASS").join(set("FAIL")).join(set("PASS")), set("FAIL"));
    }

    #[test]
    fn expected_outcomes_have_v8s_order() {
        use Outcome::{Crash, Fail, Pass};
        for (words, strict, expected) in [
            ("", false, vec![Pass]),
            ("PASS SLOW", false, vec![Pass]),
            ("SKIP", false, vec![Pass]),
            ("FAIL_OK", false, vec![Fail]),
            ("PASS CRASH FAIL", false, vec![Fail, Crash, Pass]),
            ("FAIL_SLOPPY", false, vec![Fail]),
            ("FAIL_SLOPPY", true, vec![Pass]),
            ("FAIL_SLOPPY PASS", false, vec![Fail]),
        ] {
            assert_eq!(set(words).expected(strict), expected, "{words}");
        }
    }

    #[test]
    fn flaky_is_pass_and_fail_without_crash() {
        assert!(set("PASS FAIL").is_pass_or_fail());
        assert!(!set("PASS FAIL CRASH").is_pass_or_fail());
        assert!(!set("PASS FAIL_OK").is_pass_or_fail());
    }

    #[test]
    fn words_are_shown_with_commas() {
        assert_eq!(set("SLOW PASS").to_string(), "PASS, SLOW");
    }
}
