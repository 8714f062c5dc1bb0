//! Flags that contradict each other: a test whose own flags contradict its variant, the build or an extra flag is
//! expected to fail, since V8's shell refuses such a command line.

use crate::tables::{Lists, Tables};

/// Flags that contradict a variant, a build or an extra flag.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The table's entry, such as `INCOMPATIBLE_FLAGS_PER_VARIANT["stress"]`.
    rule: String,
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
pub fn normalize(flag: &str) -> String {
    flag.replace('_', "-").replace("--no-", "--no")
}

impl Flag {
    fn new(text: &str) -> Self {
        let normal = normalize(text);
        match normal.strip_suffix('*') {
            Some(start) => Self { text: text.into(), normal: start.into(), prefix: true },
            None => Self { text: text.into(), normal, prefix: false },
        }
    }

    /// Whether it is among flags in one spelling.
    fn is_in(&self, flags: &[String]) -> bool {
        flags
            .iter()
            .any(|flag| if self.prefix { flag.starts_with(&self.normal) } else { *flag == self.normal })
    }
}

/// The conflicts to look for under a variant (or none), in V8's order: the variant's, the build's, the extra flags'.
/// `holds` says whether a status variable is true; of one that the build says nothing about, no rule can tell.
pub fn conflicts(
    tables: &Tables,
    variant: Option<&str>,
    holds: impl Fn(&str) -> Option<bool>,
    extra_flags: &[String],
) -> Vec<Conflict> {
    let extra: Vec<String> = extra_flags.iter().map(|flag| normalize(flag)).collect();
    let table = |name: &str, lists: &Lists, applies: &dyn Fn(&str) -> bool| -> Vec<Conflict> {
        lists
            .iter()
            .filter(|(key, _)| applies(key))
            .map(|(key, flags)| Conflict {
                rule: format!("{name}[\"{key}\"]"),
                flags: flags.iter().map(|flag| Flag::new(flag)).collect(),
            })
            .collect()
    };
    let mut found = table("INCOMPATIBLE_FLAGS_PER_VARIANT", &tables.per_variant, &|key| variant == Some(key));
    // Newer trees negate variables: "!code_comments".
    found.extend(table("INCOMPATIBLE_FLAGS_PER_BUILD_VARIABLE", &tables.per_build, &|key| match key
        .strip_prefix('!')
    {
        Some(variable) => holds(variable) == Some(false),
        None => holds(key) == Some(true),
    }));
    found.extend(table("INCOMPATIBLE_FLAGS_PER_EXTRA_FLAG", &tables.per_extra_flag, &|key| {
        Flag::new(key).is_in(&extra)
    }));
    found
}

/// Why a test with these flags of its own (in one spelling) is expected to fail, if it is. Of several reasons the
/// last counts, as in V8.
pub fn reason(conflicts: &[Conflict], flags: &[String], tables_file: &str) -> Option<String> {
    if flags.is_empty() {
        return None;
    }
    conflicts
        .iter()
        .flat_map(|conflict| conflict.flags.iter().map(move |flag| (conflict, flag)))
        .rfind(|(_, flag)| flag.is_in(flags))
        .map(|(conflict, flag)| {
            format!(
                "Rule {} in {tables_file} expected a flag contradiction error with {}.",
                conflict.rule, flag.text
            )
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::V9_2;

    fn tables() -> Tables {
        let list = |pairs: &[(&str, &[&str])]| {
            pairs.iter().map(|(k, v)| ((*k).into(), v.iter().map(|f| (*f).into()).collect())).collect()
        };
        let mut tables = Tables::read(std::path::Path::new("/nonexistent"), &V9_2).unwrap();
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

    fn why(variant: &str, lite: bool, extra: &[&str], flags: &[&str]) -> Option<String> {
        let extra: Vec<String> = extra.iter().map(|flag| (*flag).into()).collect();
        let found = conflicts(&tables(), Some(variant), holds(lite), &extra);
        let flags: Vec<String> = flags.iter().map(|flag| normalize(flag)).collect();
        reason(&found, &flags, "variants.py")
    }

    #[test]
    fn a_rule_about_a_variable_the_build_does_not_know_is_left_out() {
        let mut tables = tables();
        tables.per_build =
            vec![("!unheard_of".into(), vec!["--a".into()]), ("nor_this".into(), vec!["--a".into()])];
        assert!(conflicts(&tables, None, holds(true), &[]).is_empty());
    }

    #[test]
    fn a_contradicted_variant_is_named() {
        assert_eq!(
            why("stress", false, &[], &["--a", "--always_opt"]).as_deref(),
            Some(
                "Rule INCOMPATIBLE_FLAGS_PER_VARIANT[\"stress\"] in variants.py expected a flag contradiction error with --always-opt."
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

    proptest! {
        #[test]
        fn normalizing_again_changes_nothing_for_flags(flag in "--(no[-_])?[a-z]{1,6}([-_][a-z]{1,6}){0,3}") {
            let once = normalize(&flag);
            prop_assert_eq!(normalize(&once), once.clone());
            prop_assert!(!once.contains('_'));
        }
    }
}
