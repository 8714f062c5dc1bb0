//! The difference between two runs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::results::{NamedTest, Results};

/// What a newly failing test did in the earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// It was as expected.
    Passed,
    /// It did not run.
    NotRun,
    /// One of the two: the older file does not say which tests ran.
    PassedOrNotRun,
}

/// A test that fails now and did not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewlyFailing {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it did in the earlier run.
    pub before: Before,
    /// Its outcome in the later run.
    pub now: String,
}

/// A test that failed and no longer fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoLonger {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// Its outcome in the earlier run.
    pub before: String,
}

/// A test that failed and still does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StillFailing {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// Its outcome in the earlier run.
    pub before: String,
    /// Its outcome in the later run.
    pub now: String,
}

/// The difference between two runs. A test is in at most one of the lists, not counting `flaky` and `new_tests`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Tests that fail and did not before.
    pub newly_failing: Vec<NewlyFailing>,
    /// Tests that failed, ran again, and no longer fail.
    pub newly_passing: Vec<NoLonger>,
    /// Tests that failed and no longer fail, if it is not known whether they ran.
    pub passing_or_not_run: Vec<NoLonger>,
    /// Tests that failed and still fail.
    pub still_failing: Vec<StillFailing>,
    /// Tests that failed and then passed, within the later run.
    pub flaky: Vec<NamedTest>,
    /// Tests that no longer have a verdict, without those of `passing_or_not_run`.
    pub not_run_any_more: Vec<NamedTest>,
    /// Tests without a verdict in the earlier run, whatever their verdict is now.
    pub new_tests: Vec<NamedTest>,
    /// Notes on what the files do not say.
    pub unknown: Vec<&'static str>,
}

impl Difference {
    /// Compares an earlier and a later run.
    pub fn between(old: &Results, new: &Results) -> Self {
        let mut difference = Self { flaky: new.flaky.iter().cloned().collect(), ..Self::default() };
        for (test, now) in &new.failing {
            let (test, now) = (test.clone(), now.clone());
            match (old.failing.get(&test), &old.ran) {
                (Some(before), _) => {
                    let before = before.clone();
                    difference.still_failing.push(StillFailing { test, before, now });
                }
                (None, ran) => {
                    let before = match ran {
                        // A flaky test is among the results, so it ran.
                        _ if old.flaky.contains(&test) => Before::Passed,
                        None => Before::PassedOrNotRun,
                        Some(ran) if ran.contains(&test) => Before::Passed,
                        Some(_) => Before::NotRun,
                    };
                    difference.newly_failing.push(NewlyFailing { test, before, now });
                }
            }
        }
        for (test, before) in old.failing.iter().filter(|(test, _)| !new.failing.contains_key(test)) {
            let gone = NoLonger { test: test.clone(), before: before.clone() };
            match &new.ran {
                _ if new.flaky.contains(test) => difference.newly_passing.push(gone),
                None => difference.passing_or_not_run.push(gone),
                Some(ran) if ran.contains(test) => difference.newly_passing.push(gone),
                Some(_) => {}
            }
        }
        let none = BTreeSet::new();
        if let Some(ran) = &new.ran {
            // If the older file does not say which tests ran, at least those that failed did.
            let before: BTreeSet<&NamedTest> = old
                .ran
                .as_ref()
                .unwrap_or(&none)
                .iter()
                .chain(old.failing.keys())
                .chain(&old.flaky)
                .collect();
            difference.not_run_any_more =
                before.into_iter().filter(|test| !ran.contains(test)).cloned().collect();
        }
        if let (Some(before), Some(ran)) = (&old.ran, &new.ran) {
            difference.new_tests = ran.difference(before).cloned().collect();
        }
        difference.unknown = unknown(old.ran.is_some(), new.ran.is_some());
        difference
    }
}

/// Notes on what is unknown because a file does not say which tests ran.
fn unknown(old_says: bool, new_says: bool) -> Vec<&'static str> {
    let mut unknown = Vec::new();
    if !old_says {
        unknown.push("the older file does not say which tests ran: a newly failing one may be a new one");
    }
    if !new_says {
        unknown
            .push("the newer file does not say which tests ran: one that failed may pass, or not have run");
    }
    if !(old_says && new_says) {
        unknown.push("which tests are new, and which of those that passed do not run any more, is not known");
    }
    unknown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn test(name: &str) -> NamedTest {
        NamedTest { name: name.into(), variant: "default".into(), build: String::new() }
    }

    /// The results of these tests: `a!` failed, `a~` was flaky, `a` passed.
    fn results(tests: &[&str], says: bool) -> Results {
        let mut results = Results { ran: says.then(BTreeSet::new), ..Results::default() };
        for name in tests {
            let test = test(name.trim_end_matches(['!', '~']));
            results.ran.as_mut().map(|ran| ran.insert(test.clone()));
            if name.ends_with('!') {
                results.failing.insert(test, "FAIL".into());
            } else if name.ends_with('~') {
                results.flaky.insert(test);
            }
        }
        results
    }

    fn failing(difference: &Difference) -> Vec<(&str, Before)> {
        difference.newly_failing.iter().map(|one| (one.test.name.as_str(), one.before)).collect()
    }

    fn gone(list: &[NoLonger]) -> Vec<&str> {
        list.iter().map(|one| one.test.name.as_str()).collect()
    }

    fn plain(list: &[NamedTest]) -> Vec<&str> {
        list.iter().map(|test| test.name.as_str()).collect()
    }

    #[test]
    fn each_change_of_a_test_is_in_its_list() {
        let old = results(&["a!", "b", "c!", "d!", "e", "f~", "g"], true);
        let new = results(&["a", "b!", "c!", "f!", "g~", "n", "m!"], true);
        let difference = Difference::between(&old, &new);
        let expected = [("b", Before::Passed), ("f", Before::Passed), ("m", Before::NotRun)];
        assert_eq!(failing(&difference), expected);
        assert_eq!(gone(&difference.newly_passing), ["a"]);
        assert_eq!(gone(&difference.passing_or_not_run), [] as [&str; 0]);
        assert_eq!(difference.still_failing.len(), 1);
        assert_eq!(plain(&difference.flaky), ["g"]);
        assert_eq!(plain(&difference.not_run_any_more), ["d", "e"]);
        assert_eq!(plain(&difference.new_tests), ["m", "n"]);
        assert_eq!(difference.unknown.len(), 0);
    }

    #[test]
    fn what_v8s_own_files_do_not_tell_is_not_guessed() {
        let (old, new) = (["a!", "b", "c!", "d!"], ["a", "b!", "c!"]);
        let difference = Difference::between(&results(&old, false), &results(&new, true));
        assert_eq!(failing(&difference), [("b", Before::PassedOrNotRun)]);
        assert_eq!(
            (gone(&difference.newly_passing), plain(&difference.not_run_any_more)),
            (vec!["a"], vec!["d"])
        );
        assert_eq!((difference.new_tests.len(), difference.unknown.len()), (0, 2));
        let difference = Difference::between(&results(&old, true), &results(&new, false));
        assert_eq!(failing(&difference), [("b", Before::Passed)]);
        assert_eq!(gone(&difference.passing_or_not_run), ["a", "d"]);
        assert_eq!((difference.newly_passing.len(), difference.not_run_any_more.len()), (0, 0));
    }

    proptest! {
        #[test]
        fn a_run_does_not_differ_from_itself_and_lists_agree(
            old in prop::collection::btree_map("[a-f]", 0..3_u8, 0..6),
            new in prop::collection::btree_map("[a-f]", 0..3_u8, 0..6),
            says in any::<(bool, bool)>(),
        ) {
            let made = |tests: &std::collections::BTreeMap<String, u8>, says| {
                let names: Vec<String> =
                    tests.iter().map(|(name, kind)| format!("{name}{}", ["", "!", "~"][usize::from(*kind)])).collect();
                results(&names.iter().map(String::as_str).collect::<Vec<_>>(), says)
            };
            let (old, new) = (made(&old, says.0), made(&new, says.1));
            let same = Difference::between(&old, &old);
            prop_assert!(same.newly_failing.is_empty() && same.newly_passing.is_empty());
            prop_assert!(same.not_run_any_more.is_empty() && same.new_tests.is_empty());
            let there = Difference::between(&old, &new);
            prop_assert_eq!(there.newly_failing.len() + there.still_failing.len(), new.failing.len());
            if says == (true, true) {
                let gone = there.not_run_any_more.iter().filter(|test| old.failing.contains_key(test)).count();
                prop_assert_eq!(there.newly_passing.len() + there.still_failing.len() + gone, old.failing.len());
                let back = Difference::between(&new, &old);
                prop_assert_eq!(back.new_tests, there.not_run_any_more);
            }
        }
    }
}
