//! Flags that contradict each other: a test whose flags contradict each other, its variant, the build or an extra flag
//! is expected to fail, since V8's shell refuses such a command line (V8 13.8 `objects/testcase.py`,
//! `expected_outcomes`).

use std::borrow::Cow;

use crate::kind::TestFlags;
use crate::v8::dialect::Contradictions;
use crate::v8::tables::{Lists, Tables};

/// Flags of a table that contradict a variant, a build or an extra flag.
#[derive(Clone, Debug)]
struct RuleEntry {
    /// The table's entry, such as `INCOMPATIBLE_FLAGS_PER_VARIANT["stress"]`.
    rule: String,
    /// The extra flag with which they are incompatible, if it is one.
    with: Option<Flag>,
    flags: Vec<Flag>,
}

#[derive(Clone, Debug)]
struct Flag {
    /// As the table has it.
    text: String,
    /// In one spelling; without the star at its end.
    normal: String,
    /// Whether a star at its end stands for any text.
    prefix: bool,
}

/// A flag in one spelling: V8's shell takes `_` for `-`, and `--no-x` for `--nox`.
pub fn normalize(flag: &str) -> Cow<'_, str> {
    // Most flags are in that spelling already, and every test has some dozens.
    if flag.contains('_') || flag.contains("--no-") {
        Cow::Owned(flag.replace('_', "-").replace("--no-", "--no"))
    } else {
        Cow::Borrowed(flag)
    }
}

/// Whether two flags in one spelling say the opposite of each other. The opposite of `--nobody` would be `--body`: V8
/// accepts that.
fn are_opposite(one: &str, other: &str) -> bool {
    let negates = |one: &str, other: &str| match (one.strip_prefix("--no"), other.strip_prefix("--")) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    };
    negates(one, other) || negates(other, one)
}

impl Flag {
    fn new(text: &str) -> Self {
        let normal = normalize(text);
        match normal.strip_suffix('*') {
            Some(start) => Self { text: text.into(), normal: start.into(), prefix: true },
            None => Self { text: text.into(), normal: normal.into_owned(), prefix: false },
        }
    }

    /// The one among flags in one spelling that it means.
    fn find<'a>(&self, flags: &'a [Cow<'a, str>]) -> Option<&'a str> {
        let means = |flag: &&Cow<'_, str>| match self.prefix {
            true => flag.starts_with(&self.normal),
            false => **flag == self.normal,
        };
        flags.iter().find(means).map(|flag| &**flag)
    }
}

/// What contradicts the flags of a test under one variant, or before there are variants.
#[derive(Clone, Debug)]
pub struct Conflicts {
    rules: Contradictions,
    /// The variant's flags; `None` before there are variants.
    variant: Option<Vec<String>>,
    /// In V8's order: the variant's, the build's, the extra flags'.
    entries: Vec<RuleEntry>,
    /// Where the tables stand, as messages name it.
    file: &'static str,
}

impl Conflicts {
    /// What to look for under a variant (or none). `holds` says whether a status variable is true; of one that the build
    /// says nothing about, no rule can tell.
    pub fn new(
        tables: &Tables,
        rules: Contradictions,
        variant: Option<&str>,
        holds: impl Fn(&str) -> Option<bool>,
    ) -> Self {
        let table = |name: &str, lists: &Lists, applies: &dyn Fn(&str) -> bool| -> Vec<RuleEntry> {
            let entries = lists.iter().filter(|(key, _)| applies(key));
            let entry = |(key, flags): &(String, Vec<String>)| RuleEntry {
                rule: format!("{name}[\"{key}\"]"),
                with: None,
                flags: flags.iter().map(|flag| Flag::new(flag)).collect(),
            };
            entries.map(entry).collect()
        };
        let mut entries =
            table("INCOMPATIBLE_FLAGS_PER_VARIANT", &tables.per_variant, &|key| variant == Some(key));
        // From V8 11.1 on variables can be negated: "!code_comments".
        entries.extend(table("INCOMPATIBLE_FLAGS_PER_BUILD_VARIABLE", &tables.per_build, &|key| match key
            .strip_prefix('!')
        {
            Some(variable) => holds(variable) == Some(false),
            None => holds(key) == Some(true),
        }));
        let of_extra = table("INCOMPATIBLE_FLAGS_PER_EXTRA_FLAG", &tables.per_extra_flag, &|_| true);
        let keys = tables.per_extra_flag.iter().map(|(key, _)| Flag::new(key));
        entries.extend(
            of_extra.into_iter().zip(keys).map(|(entry, key)| RuleEntry { with: Some(key), ..entry }),
        );
        let own = variant.and_then(|variant| tables.variants.iter().find(|known| known.name == variant));
        let variant = own.map(|variant| variant.flags.clone());
        Self { rules, variant, entries, file: tables.variants_file }
    }

    /// Why a test with these flags is expected to fail, if it is. Of several reasons the last counts, as in V8.
    pub fn reason(&self, flags: TestFlags<'_>) -> Option<String> {
        let extra = self.heeded(flags.extra);
        let (all, without_extra) = match self.rules.whole_command {
            true => (self.heeded(flags.all), self.heeded(flags.without_extra)),
            false => (self.heeded(flags.file), Vec::new()),
        };
        let without_extra = if self.rules.whole_command { &without_extra } else { &all };
        let of_tables = self.entries.iter().rev().find_map(|entry| {
            let (among, other) = match &entry.with {
                None => (&all, None),
                Some(key) => (without_extra, Some(key.find(&extra)?)),
            };
            let contradicts = |flag: &&Flag| match flag.find(among) {
                Some(found) => !(self.rules.same_flag_agrees && other == Some(found)),
                None => false,
            };
            entry.flags.iter().rfind(contradicts).map(|flag| (entry.rule.as_str(), flag.text.clone()))
        });
        let (rule, flag) = of_tables.or_else(|| Some(("Flag negations", self.negation(all, extra)?)))?;
        Some(format!("Rule {rule} in {} expected a flag contradiction error with {flag}.", self.file))
    }

    /// The flags that count, in one spelling. From V8 9.3 on, words that are no flags are left out.
    fn heeded<'a>(&self, flags: &'a [String]) -> Vec<Cow<'a, str>> {
        let is_flag = |flag: &&String| !self.rules.negations || flag.starts_with("--");
        let mut heeded: Vec<Cow<'_, str>> =
            flags.iter().filter(is_flag).map(|flag| normalize(flag)).collect();
        if self.rules.whole_command {
            leave_out_ignored(&mut heeded);
        }
        heeded
    }

    /// The opposite of the last flag whose opposite is said as well.
    fn negation<'a>(&'a self, mut all: Vec<Cow<'a, str>>, extra: Vec<Cow<'a, str>>) -> Option<String> {
        if !self.rules.negations {
            return None;
        }
        if !self.rules.whole_command {
            // Without a variant nothing is looked for.
            all.extend(extra);
            all.extend(self.heeded(self.variant.as_ref()?));
        }
        let opposite = |flag: &Cow<'_, str>| all.iter().find(|other| are_opposite(flag, other));
        all.iter().rev().find_map(opposite).map(ToString::to_string)
    }
}

/// Leaves out what V8's shell ignores when it checks whether flags contradict each other: all from `--fuzzing` or
/// `--no-abort-on-contradictory-flags` on, and what follows `--allow-overwriting-for-next-flag`.
fn leave_out_ignored(flags: &mut Vec<Cow<'_, str>>) {
    for switch in ["--fuzzing", "--noabort-on-contradictory-flags"] {
        if let Some(at) = flags.iter().position(|flag| flag == switch) {
            flags.truncate(at);
        }
    }
    while let Some(at) = flags.iter().position(|flag| flag == "--allow-overwriting-for-next-flag") {
        flags.drain(at..flags.len().min(at + 2));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kit::options::Framework;
    use crate::v8::dialect::{Detected, NEWEST, V9_2};
    use crate::v8::tables::Variant;

    fn tables() -> Tables {
        let list = |pairs: &[(&str, &[&str])]| {
            pairs.iter().map(|(k, v)| ((*k).into(), v.iter().map(|f| (*f).into()).collect())).collect()
        };
        let tree = Detected { dialect: &V9_2, version: None, newer: false, assumed: false };
        let mut tables =
            Tables::read(std::path::Path::new("/nonexistent"), &tree, Framework::Standard).unwrap();
        tables.variants = vec![
            Variant { name: "stress".into(), flags: vec!["--no-lift".into()] },
            Variant { name: "x".into(), flags: Vec::new() },
        ];
        tables.per_variant =
            list(&[("stress", &["--no-stress-opt", "--always-opt", "--max-size=*"]), ("x", &["--y"])]);
        tables.per_build = list(&[("lite_mode", &["--no-lazy"]), ("!comments", &["--comments"])]);
        tables.per_extra_flag =
            list(&[("--gc-interval=*", &["--gc-interval=*"]), ("--stress_more", &["--less"])]);
        tables
    }

    fn holds(lite: bool) -> impl Fn(&str) -> Option<bool> {
        move |variable| match variable {
            "comments" => Some(true),
            "lite_mode" => Some(lite),
            _ => None,
        }
    }

    const V9_3: Contradictions = Contradictions { negations: true, ..V9_2.contradictions };
    const V12_7: Contradictions = Contradictions { same_flag_agrees: true, ..V9_3 };
    const V13_2: Contradictions = NEWEST.contradictions;

    /// Why a test of these flags of its own is expected to fail.
    fn why_in(
        rules: Contradictions,
        variant: Option<&str>,
        lite: bool,
        extra: &[&str],
        flags: &[&str],
    ) -> Option<String> {
        let owned = |flags: &[&str]| flags.iter().map(|flag| String::from(*flag)).collect::<Vec<_>>();
        let (extra, file) = (owned(extra), owned(flags));
        let tables = tables();
        let found = tables.variants.iter().find(|known| Some(known.name.as_str()) == variant);
        let variant_flags = found.map(|variant| variant.flags.clone()).unwrap_or_default();
        let all = [extra.as_slice(), &variant_flags, &file].concat();
        let without_extra = [variant_flags.as_slice(), &file].concat();
        let flags = TestFlags { all: &all, without_extra: &without_extra, extra: &extra, file: &file };
        Conflicts::new(&tables, rules, variant, holds(lite)).reason(flags)
    }

    fn why(variant: &str, lite: bool, extra: &[&str], flags: &[&str]) -> Option<String> {
        why_in(V9_2.contradictions, Some(variant), lite, extra, flags)
    }

    #[test]
    fn a_rule_about_a_variable_the_build_does_not_know_is_left_out() {
        let mut tables = tables();
        tables.per_build =
            vec![("!unheard_of".into(), vec!["--a".into()]), ("nor_this".into(), vec!["--a".into()])];
        let file = ["--a".to_owned()];
        let flags = TestFlags { file: &file, ..TestFlags::default() };
        assert_eq!(Conflicts::new(&tables, V9_2.contradictions, None, holds(true)).reason(flags), None);
    }

    #[test]
    fn a_contradicted_variant_is_named() {
        assert_eq!(
            why("stress", false, &[], &["--a", "--always_opt"]).as_deref(),
            Some(
                "Rule INCOMPATIBLE_FLAGS_PER_VARIANT[\"stress\"] in tools/testrunner/local/variants.py expected a flag \
                 contradiction error with --always-opt."
            )
        );
        assert_eq!(why("default", false, &[], &["--always-opt"]), None);
    }

    #[test]
    fn spellings_of_a_flag_are_one() {
        for flag in ["--no-stress-opt", "--nostress-opt", "--no_stress_opt", "--nostress_opt"] {
            assert!(why("stress", false, &[], &[flag]).is_some(), "{flag}");
        }
        assert!(why("stress", false, &[], &["--stress-opt"]).is_none());
    }

    #[test]
    fn a_star_stands_for_any_text_behind_the_equals_sign() {
        assert!(why("stress", false, &[], &["--max-size=3"]).is_some());
        assert!(why("stress", false, &[], &["--max-size", "3"]).is_none());
    }

    #[test]
    fn builds_and_extra_flags_contradict_too_and_the_last_counts() {
        assert!(
            why("default", true, &[], &["--no-lazy"]).unwrap().contains("PER_BUILD_VARIABLE[\"lite_mode\"]")
        );
        assert_eq!(why("default", false, &[], &["--no-lazy"]), None);
        assert_eq!(why("default", false, &[], &["--comments"]), None);
        assert_eq!(why("default", false, &["--gc-interval", "5"], &["--gc-interval=7"]), None);
        let last =
            why("stress", true, &["--gc-interval=5", "--stress-more"], &["--always-opt", "--gc-interval=7"]);
        assert!(last.unwrap().contains("PER_EXTRA_FLAG[\"--gc-interval=*\"]"));
        assert!(why("default", false, &["--stress-more"], &["--less"]).is_some());
    }

    #[test]
    fn a_flag_and_its_negation_contradict_each_other_from_9_3_on() {
        let negation = |variant, extra: &[&str], flags: &[&str]| why_in(V9_3, variant, false, extra, flags);
        assert_eq!(why("x", false, &[], &["--a", "--no-a"]), None, "9.2 knows no such rule");
        let found = negation(Some("x"), &[], &["--a", "--no_a", "3"]).unwrap();
        assert_eq!(
            found,
            "Rule Flag negations in tools/testrunner/local/variants.py expected a flag contradiction error with --a."
        );
        assert!(negation(Some("stress"), &[], &["--lift"]).unwrap().ends_with("with --lift."));
        assert!(negation(Some("x"), &["--noa"], &["--a"]).is_some());
        assert_eq!(negation(Some("x"), &[], &["--a=1", "--no-a=2"]), None);
        assert!(negation(Some("x"), &[], &["--a=1", "--no-a=1"]).is_some(), "values are a flag's text");
        assert_eq!(negation(Some("unheard_of"), &[], &["--a", "--no-a"]), None, "only under known variants");
        assert_eq!(negation(None, &[], &["--a", "--no-a"]), None);
        assert!(
            why_in(V13_2, None, false, &[], &["--a", "--no-a"]).is_some(),
            "from 13.2 on without one, too"
        );
    }

    #[test]
    fn the_very_flag_that_is_extra_agrees_with_itself_from_12_7_on() {
        let interval =
            |rules, of_test| why_in(rules, Some("x"), false, &["--gc-interval=5"], &[of_test]).is_some();
        assert!(interval(V9_3, "--gc-interval=5"));
        assert!(!interval(V12_7, "--gc-interval=5") && interval(V12_7, "--gc-interval=6"));
        assert!(!interval(V13_2, "--gc-interval=5") && interval(V13_2, "--gc-interval=6"));
    }

    #[test]
    fn the_whole_command_line_counts_from_13_2_on() {
        let of_variant = |rules| why_in(rules, Some("stress"), false, &["--lift"], &[]).is_some();
        assert!(of_variant(V9_3) && of_variant(V13_2), "negations look at extra flags in both");
        let of_extra = |rules| why_in(rules, Some("stress"), false, &["--always-opt"], &[]).is_some();
        assert!(!of_extra(V12_7) && of_extra(V13_2), "tables look at the file's flags before");
    }

    #[test]
    fn what_switches_the_shells_own_check_off_is_heeded() {
        let found = |flags: &[&str]| why_in(V13_2, Some("x"), false, &[], flags).is_some();
        assert!(found(&["--y"]) && found(&["--a", "--no-a"]));
        assert!(!found(&["--fuzzing", "--y", "--a", "--no-a"]));
        assert!(!found(&["--no-abort-on-contradictory-flags", "--y"]));
        assert!(found(&["--y", "--fuzzing"]), "what stands before counts");
        assert!(!found(&["--allow-overwriting-for-next-flag", "--y"]));
        assert!(!found(&["--a", "--allow_overwriting_for_next_flag", "--no-a"]));
        assert!(!found(&["--allow-overwriting-for-next-flag"]));
    }

    proptest! {
        #[test]
        fn normalizing_again_changes_nothing_for_flags(flag in "--(no[-_])?[a-z]{1,6}([-_][a-z]{1,6}){0,3}") {
            let once = normalize(&flag).into_owned();
            prop_assert_eq!(normalize(&once), once.as_str());
            prop_assert!(!once.contains('_'));
        }

        #[test]
        fn a_flag_and_its_negation_are_opposite(flag in "[a-z]{1,6}") {
            let (says, negates) = (format!("--{flag}"), format!("--no{flag}"));
            prop_assert!(are_opposite(&says, &negates));
            prop_assert!(!are_opposite(&says, &says));
        }

        #[test]
        fn any_words_are_judged(words in prop::collection::vec("-{0,3}[a-z_*=]{0,4}", 0..6)) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            for rules in [V9_2.contradictions, V9_3, V12_7, V13_2] {
                let _ = why_in(rules, Some("stress"), true, &words, &words);
            }
        }
    }
}
