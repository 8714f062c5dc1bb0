//! Reading a status file for one run.

use std::path::{Path, PathBuf};

use super::outcomes::Outcomes;
use super::rules::{Rule, Rules, SourceRule};

/// A status file as it holds in one run.
#[derive(Clone, Debug, Default)]
pub struct StatusFile {
    pub(super) path: PathBuf,
    pub(super) sources: Vec<SourceRule>,
    pub(super) always: Rules,
    /// One for each selected variant, in their order.
    pub(super) per_variant: Vec<Rules>,
    /// Rules of which nobody can tell whether they hold, or what all of their words mean: of trees newer than what is
    /// known. For all variants, and for each selected one.
    pub(super) may: (Rules, Vec<Rules>),
    pub(super) has_flags: bool,
    pub(super) warnings: Vec<String>,
    pub(super) not_understood: Vec<String>,
}

impl StatusFile {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Words that are neither known nor flags, with their place. V8 lets them pass in silence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What is not understood of a tree that is newer than what is known, with its place.
    pub fn not_understood(&self) -> &[String] {
        &self.not_understood
    }

    /// The rules read, in source order, as far as their sections hold in this run.
    pub fn sources(&self) -> &[SourceRule] {
        &self.sources
    }

    /// The rules as joined, each with its text and the selected variant it is for, if it is for one.
    pub(super) fn rules(&self) -> Vec<(String, &Rule, Option<usize>)> {
        let always = self.always.all().into_iter().map(|(text, rule)| (text, rule, None));
        let mut all: Vec<_> = always.collect();
        for (i, rules) in self.per_variant.iter().enumerate() {
            all.extend(rules.all().into_iter().map(|(text, rule)| (text, rule, Some(i))));
        }
        all
    }

    /// The outcomes of a test for all variants alike.
    pub fn outcomes(&self, test: &str) -> Outcomes {
        union(self.always.matching(test))
    }

    /// What the rules of one selected variant add to [`Self::outcomes`].
    pub fn outcomes_of_variant(&self, test: &str, variant: usize) -> Outcomes {
        match self.per_variant.get(variant) {
            Some(rules) if !rules.is_empty() => union(rules.matching(test)),
            _ => Outcomes::default(),
        }
    }

    /// All rules that match a test under one selected variant, or under none.
    pub fn matching(&self, test: &str, variant: Option<usize>) -> impl Iterator<Item = &Rule> {
        let of_variant = variant.and_then(|variant| self.per_variant.get(variant));
        self.always.matching(test).chain(of_variant.into_iter().flat_map(move |rules| rules.matching(test)))
    }

    /// The flags that rules give a test.
    pub fn flags(&self, test: &str, variant: Option<usize>) -> Vec<String> {
        let mut flags: Vec<String> = Vec::new();
        if !self.has_flags {
            return flags;
        }
        for flag in self.matching(test, variant).flat_map(|rule| &rule.flags) {
            if !flags.contains(flag) {
                flags.push(flag.clone());
            }
        }
        flags
    }

    /// The rules for a test that may hold, or may say something else than is known.
    fn may_matching(&self, test: &str, variant: Option<usize>) -> impl Iterator<Item = &Rule> {
        let (always, per_variant) = &self.may;
        let of_variant = variant.and_then(|variant| per_variant.get(variant));
        let rules = [always].into_iter().chain(of_variant).filter(|rules| !rules.is_empty());
        rules.flat_map(move |rules| rules.matching(test))
    }

    /// The first of them, and why nobody can tell.
    pub fn doubt(&self, test: &str, variant: Option<usize>) -> Option<(&SourceRule, &str)> {
        let source = |rule: &Rule| self.sources.get(*rule.sources.first()?);
        let rule = self.may_matching(test, variant).find_map(source)?;
        Some((rule, rule.unknown.as_deref().unwrap_or_default()))
    }

    /// The words that they say.
    pub fn may(&self, test: &str, variant: Option<usize>) -> Outcomes {
        union(self.may_matching(test, variant))
    }

    /// The rule that says any of these words of a test.
    pub fn why(&self, test: &str, variant: Option<usize>, words: Outcomes) -> Option<&SourceRule> {
        self.matching(test, variant)
            .flat_map(|rule| &rule.sources)
            .filter_map(|source| self.sources.get(*source))
            .find(|source| source.outcomes.has(words))
    }
}

fn union<'a>(rules: impl Iterator<Item = &'a Rule>) -> Outcomes {
    rules.fold(Outcomes::default(), |all, rule| all | rule.outcomes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expectations::{Reading, Syntax, Variables, Vocabulary};
    use crate::syntax::python::Diagnostic;

    const VARIANTS: [&str; 3] = ["stress", "jitless", "default"];

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.constants(VARIANTS);
        variables.constants(["x64", "arm", "debug"]);
        variables.set("arch", "x64");
        variables.set("mode", "release");
        variables.set("gc_stress", true);
        variables.set("ALWAYS", true);
        variables
    }

    fn try_read(text: &str, selected: &[&str]) -> Result<StatusFile, Diagnostic> {
        try_read_with(text, selected, Vocabulary::Modern)
    }

    fn try_read_with(
        text: &str,
        selected: &[&str],
        vocabulary: Vocabulary,
    ) -> Result<StatusFile, Diagnostic> {
        let variables = variables();
        let reading = Reading {
            variables: &variables,
            all_variants: &VARIANTS,
            selected,
            vocabulary,
            syntax: Syntax::Python,
            keywords: None,
        };
        StatusFile::read(Path::new("t.status"), text, reading)
    }

    fn read(text: &str) -> StatusFile {
        try_read(text, &VARIANTS).unwrap()
    }

    fn problem(text: &str) -> String {
        try_read(text, &["default"]).unwrap_err().to_string()
    }

    #[test]
    fn sections_hold_by_their_condition() {
        let file = read(
            "# comment\n[\n[ALWAYS, {\n  'a': [PASS, SLOW],\n  'd/*': SKIP,\n}],\n\
             ['arch == x64 and ' 'mode == \"release\"', {'a': FAIL}],  # joined\n\
             ['arch == arm', {'a': [CRASH]}],\n]\n",
        );
        assert_eq!(file.outcomes("a").to_string(), "FAIL, SLOW");
        assert_eq!(file.outcomes("d/x").to_string(), "SKIP");
        assert_eq!(file.outcomes("d").to_string(), "");
        let why = file.why("d/x", None, Outcomes::SKIP).unwrap();
        assert_eq!((why.rule.as_str(), why.condition.as_str(), why.line), ("d/*", "ALWAYS", 5));
    }

    #[test]
    fn conditions_among_outcomes_select_outcomes() {
        let file = read(
            "[[ALWAYS, {'a': [PASS, ['gc_stress', SLOW, SKIP], ['arch == arm', FAIL]], 'b': [['arch == arm', FAIL]]}]]",
        );
        assert_eq!(file.outcomes("a").to_string(), "PASS, SKIP, SLOW");
        assert!(file.outcomes("b").is_empty());
        assert_eq!(file.sources().len(), 1, "a rule without outcomes is none");
    }

    #[test]
    fn variant_sections_hold_for_their_variants_only() {
        let text =
            "[['variant in (stress, jitless)', {'a': [SKIP], 'b': [PASS, ['variant == stress', FAIL]]}]]";
        let file = read(text);
        assert!(file.outcomes("a").is_empty());
        assert_eq!(file.outcomes_of_variant("a", 0), Outcomes::SKIP);
        assert_eq!(file.outcomes_of_variant("a", 1), Outcomes::SKIP);
        assert!(file.outcomes_of_variant("a", 2).is_empty());
        assert_eq!(file.outcomes_of_variant("b", 0).to_string(), "PASS, FAIL");
        assert_eq!(file.outcomes_of_variant("b", 1).to_string(), "PASS");
        let default_only = try_read(text, &["default"]).unwrap();
        assert!(default_only.sources().is_empty());
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let file = read("[[ALWAYS, {'a': [SKIP], 'b': [SLOW], 'a': [PASS]}]]");
        assert_eq!(file.outcomes("a").to_string(), "PASS");
        assert_eq!(file.outcomes("b").to_string(), "SLOW");
    }

    #[test]
    fn flags_are_no_outcomes() {
        let file = read("[[ALWAYS, {'a': ['--x', PASS], 'a*': ['--y', '--x']}]]");
        assert_eq!(file.flags("a", None), ["--x", "--y"]);
        assert_eq!(file.outcomes("a").to_string(), "PASS");
        let odd = read("[[ALWAYS, {'a': ['FIAL']}]]");
        assert_eq!(odd.warnings(), ["t.status:1: 'FIAL' is no outcome and is ignored; did you mean 'FAIL'?"]);
    }

    #[test]
    fn classic_trees_have_words_of_their_own() {
        let text = "[[ALWAYS, {'a': [PASS, TIMEOUT], 'b': [FAIL_OK], 'c': PASS_OR_FAIL, 'd': [PASS, 'Flags: --x  y'], 'd*': ['Flags: -z']}]]";
        let file = try_read_with(text, &VARIANTS, Vocabulary::Classic).unwrap();
        assert_eq!(file.outcomes("a").to_string(), "PASS, TIMEOUT");
        assert_eq!(file.outcomes("b").to_string(), "FAIL, OKAY");
        assert_eq!(file.outcomes("c").to_string(), "PASS, FAIL");
        assert_eq!(file.flags("d", None), ["--x", "y"], "a rule with a star has none");
        assert!(problem(text).contains("unknown outcome 'TIMEOUT'"), "no modern word");
        let modern = "[[ALWAYS, {'a': FAIL_PHASE_ONLY}]]";
        assert!(try_read_with(modern, &VARIANTS, Vocabulary::Classic).is_err());
    }

    #[test]
    fn problems_show_the_line_and_a_caret() {
        assert_eq!(
            problem("[\n[ALWAYS, {\n  'a': [PASS, FIAL],\n}],\n]"),
            "t.status:3:15: unknown outcome 'FIAL'; did you mean 'FAIL'?\n      'a': [PASS, FIAL],\n    \
             \u{20}             ^"
        );
        assert_eq!(
            problem("[\n  ['arch == x63', {}],\n]"),
            "t.status:2:13: unknown name 'x63'; did you mean 'x64'?\n      ['arch == x63', {}],\n                ^"
        );
        for (text, expected) in [
            ("[\n", "2:1: expected a value, found the end"),
            ("{}", "1:1: expected a list of sections"),
            ("[[ALWAYS]]", "1:2: expected a section of 2 elements"),
            ("[[ALWAYS, []]]", "1:11: expected the section's rules"),
            ("[[['x'], {}]]", "1:3: expected the section's condition"),
            ("[['arch', {}]]", "1:4: the condition is the string 'x64'"),
            ("[['arch ==', {}]]", "1:11: expected a value"),
            ("[['arch' ' == x63', {}]]", "1:3: unknown name 'x63'"),
            ("[[ALWAYS, {PASS: PASS}]]", "1:12: expected a rule"),
            ("[[ALWAYS, {'': PASS}]]", "1:12: expected a rule"),
            ("[[ALWAYS, {'a': {}}]]", "1:17: expected an outcome"),
            ("[[ALWAYS, {'a': [[]]}]]", "1:18: expected [condition"),
            ("[[ALWAYS, {'a': [['variant == stress', FAIL]]}]]", "1:19: a condition among outcomes"),
            ("[[ALWAYS, {'a': [['variant', FAIL]]}]]", "1:19: a condition among outcomes"),
            ("[['variant == strss', {}]]", "1:15: unknown name 'strss'; did you mean 'stress'?"),
            ("[['arch == arm', {'a': [FOO]}]]", "1:25: unknown outcome 'FOO'"),
            ("[[ALWAYS, {'a': 1 + 2}]]", "1:17: expected a list of outcomes"),
        ] {
            let found = problem(text);
            assert!(found.starts_with(&format!("t.status:{expected}")), "{text}\n{found}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = try_read(&text, &VARIANTS);
        }

        #[test]
        fn any_shape_is_read_or_refused(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[", "]", "{", "}", ",", ":", "ALWAYS", "PASS", "SKIP", "'a'", "'a*'", "'variant == stress'",
                    "'arch == x64'", "'gc_stress'", "'--f'",
                ]),
                0..60,
            )
        ) {
            let _ = try_read(&words.join(" "), &VARIANTS);
        }

        #[test]
        fn joining_does_not_depend_on_what_other_rules_say(words in prop::collection::vec(0_usize..4, 1..6)) {
            // The same rule in several sections, beside rules that do not match.
            let outcomes = ["PASS", "FAIL", "PASS, SLOW", "FAIL_OK"];
            let sections: Vec<String> =
                words.iter().map(|w| format!("[ALWAYS, {{'a': [{}], 'b': [CRASH]}}]", outcomes[*w])).collect();
            let file = read(&format!("[{}]", sections.join(",")));
            let found = file.outcomes("a");
            let fails = words.iter().any(|w| matches!(w, 1 | 3));
            prop_assert_eq!(found.has(Outcomes::FAIL | Outcomes::FAIL_OK), fails);
            prop_assert_eq!(found.has(Outcomes::PASS), !fails);
            prop_assert_eq!(found.has(Outcomes::SLOW), words.contains(&2));
        }
    }
}
