//! Rules that hold in this run, joined as V8 joins them, ready to be looked up.

use std::collections::HashMap;

use super::outcomes::Outcomes;

/// A rule as it stands in the file: what listings and warnings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRule {
    /// The rule's text: a test's name, or a prefix and `*`.
    pub rule: String,
    /// The condition of its section, as written.
    pub condition: String,
    /// The line it stands in, from 1.
    pub line: usize,
    /// What it comes to in this run.
    pub outcomes: Outcomes,
    /// Why nobody can tell whether it holds or what all of its words mean.
    pub unknown: Option<String>,
}

/// Rules of the same text, joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The joined words.
    pub outcomes: Outcomes,
    /// Flags for the test (`--...` among the outcomes), in source order.
    pub flags: Vec<String>,
    /// Where it came from: indices into the file's source rules.
    pub sources: Vec<usize>,
}

impl Rule {
    fn join(&mut self, other: Self, join: fn(Outcomes, Outcomes) -> Outcomes) {
        self.outcomes = join(self.outcomes, other.outcomes);
        for flag in other.flags {
            if !self.flags.contains(&flag) {
                self.flags.push(flag);
            }
        }
        self.sources.extend(other.sources);
    }
}

/// The rules for all variants, or for one.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// By the test's whole name.
    exact: HashMap<String, Rule>,
    /// By a prefix of it, in the order of first mention.
    prefixes: Vec<(String, Rule)>,
}

impl Rules {
    /// Adds what a section says under a rule. Equal texts of equal kind are joined; different ones meet only when
    /// they are looked up. `join` says what the words of two equal texts come to.
    pub(super) fn add(&mut self, text: &str, rule: Rule, join: fn(Outcomes, Outcomes) -> Outcomes) {
        let joined = match text.strip_suffix('*') {
            None => self.exact.entry(text.into()).or_default(),
            Some(prefix) => {
                let at = self.prefixes.iter().position(|(have, _)| have == prefix).unwrap_or_else(|| {
                    self.prefixes.push((prefix.into(), Rule::default()));
                    self.prefixes.len() - 1
                });
                &mut self.prefixes[at].1
            }
        };
        if joined.sources.is_empty() { *joined = rule } else { joined.join(rule, join) }
    }

    /// The rules that match a test's name.
    pub(super) fn matching(&self, name: &str) -> impl Iterator<Item = &Rule> {
        let prefixes = self.prefixes.iter().filter(move |(prefix, _)| name.starts_with(prefix.as_str()));
        self.exact.get(name).into_iter().chain(prefixes.map(|(_, rule)| rule))
    }

    /// All rules with their texts: whole names in byte order, then prefixes with their star.
    pub(super) fn all(&self) -> Vec<(String, &Rule)> {
        let mut exact: Vec<_> = self.exact.iter().map(|(name, rule)| (name.clone(), rule)).collect();
        exact.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let prefixes = self.prefixes.iter().map(|(prefix, rule)| (format!("{prefix}*"), rule));
        exact.into_iter().chain(prefixes).collect()
    }

    /// Whether there is no rule.
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(word: &str, source: usize) -> Rule {
        Rule { outcomes: Outcomes::word(word).unwrap(), flags: Vec::new(), sources: vec![source] }
    }

    #[test]
    fn rules_match_whole_names_or_prefixes() {
        let mut rules = Rules::default();
        for (i, (text, word)) in
            [("a/b", "FAIL"), ("a*", "SLOW"), ("*", "PASS"), ("a/*b", "SKIP"), ("a/", "SKIP")]
                .iter()
                .enumerate()
        {
            rules.add(text, rule(word, i), Outcomes::join);
        }
        let found =
            |name: &str| rules.matching(name).map(|rule| rule.outcomes.to_string()).collect::<Vec<_>>();
        assert_eq!(found("a/b"), ["FAIL", "SLOW", "PASS"], "a star counts at the end only");
        assert_eq!(found("b"), ["PASS"]);
    }

    #[test]
    fn equal_texts_are_joined_and_the_same_text_with_a_star_is_another_rule() {
        let mut rules = Rules::default();
        rules.add("a", rule("PASS", 0), Outcomes::join);
        rules.add("a", rule("FAIL", 1), Outcomes::join);
        rules.add("a*", rule("PASS", 2), Outcomes::join);
        let found: Vec<&Rule> = rules.matching("a").collect();
        assert_eq!(found[0].outcomes, Outcomes::FAIL);
        assert_eq!(found[0].sources, [0, 1]);
        assert_eq!(found[1].outcomes, Outcomes::PASS, "different rules meet by plain union only");
    }
}
