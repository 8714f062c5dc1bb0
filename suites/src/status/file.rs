//! Reading a status file for one run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::condition::{Truth, Variables};
use super::lines;
use super::outcomes::{Outcomes, Vocabulary};
use super::rules::{Rule, Rules, SourceRule};
use crate::python::{Diagnostic, Expr, Kind, Problem, parse};
use crate::text::nearest::{hint, nearest};

/// The condition that always holds; alone among conditions it is written without quotes.
const ALWAYS: &str = "ALWAYS";

/// What a status file is read for.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The names that conditions can use.
    pub variables: &'a Variables,
    /// The variants the tree knows.
    pub all_variants: &'a [&'a str],
    /// Those of this run.
    pub selected: &'a [&'a str],
    /// The words that the tree's version has.
    pub vocabulary: Vocabulary,
    /// How the version writes its status files.
    pub syntax: Syntax,
    /// The words that the tree's own runner has, if it says so.
    pub keywords: Option<&'a [String]>,
}

impl Reading<'_> {
    /// Whether status files can say a word.
    fn knows(&self, word: &str) -> bool {
        match self.keywords {
            Some(keywords) => keywords.iter().any(|known| known == word),
            None => word == ALWAYS || self.vocabulary.word(word).is_some(),
        }
    }

    /// Why a word cannot be said.
    fn unknown_word(&self, word: &str) -> String {
        if let Some(versions) = Outcomes::known_to(word) {
            return format!("unknown outcome '{word}': it is a word of {versions}");
        }
        let words: Vec<&str> = match self.keywords {
            Some(keywords) => keywords.iter().map(String::as_str).collect(),
            None => self.vocabulary.words().chain([ALWAYS]).collect(),
        };
        format!("unknown outcome '{word}'{}", hint(nearest(word, words)))
    }
}

/// How status files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// A Python literal.
    Python,
    /// Lines `[ CONDITION ]` and `TEST: OUTCOMES`, as until 2012: [`lines`].
    Lines,
}

/// A status file as it holds in one run.
#[derive(Clone, Debug, Default)]
pub struct StatusFile {
    pub(super) path: PathBuf,
    pub(super) sources: Vec<SourceRule>,
    pub(super) always: Rules,
    /// One for each selected variant, in their order.
    per_variant: Vec<Rules>,
    /// Rules of which nobody can tell whether they hold, or what all of their words mean: of trees newer than what is
    /// known. For all variants, and for each selected one.
    may: (Rules, Vec<Rules>),
    has_flags: bool,
    pub(super) warnings: Vec<String>,
    not_understood: Vec<String>,
}

impl StatusFile {
    /// Reads a status file's text.
    ///
    /// Sections whose condition depends on the variant are evaluated for all variants of the tree, so that a broken
    /// one is found whatever is selected.
    ///
    /// # Errors
    /// The first syntax or evaluation error, with its position.
    pub fn read(path: &Path, text: &str, reading: Reading<'_>) -> Result<Self, Diagnostic> {
        let file = Self {
            path: path.into(),
            per_variant: vec![Rules::default(); reading.selected.len()],
            may: (Rules::default(), vec![Rules::default(); reading.selected.len()]),
            ..Self::default()
        };
        let result = match reading.syntax {
            Syntax::Python => {
                let mut reader = Reader { text, reading, lines: Lines::new(text), file };
                reader.read().map(|()| reader.file)
            }
            Syntax::Lines => lines::read(file, text, reading),
        };
        result.map_err(|problem| problem.located(path, text))
    }

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

    /// A rule for a test that may hold or may say something else than is known, and why nobody can tell.
    pub fn doubt(&self, test: &str, variant: Option<usize>) -> Option<(&SourceRule, &str)> {
        let (always, per_variant) = &self.may;
        let of_variant = variant.and_then(|variant| per_variant.get(variant));
        let rules = [always].into_iter().chain(of_variant).filter(|rules| !rules.is_empty());
        let source = |rule: &Rule| self.sources.get(*rule.sources.first()?);
        let rule = rules.flat_map(|rules| rules.matching(test)).find_map(source)?;
        Some((rule, rule.unknown.as_deref().unwrap_or_default()))
    }

    /// The words that rules which may hold say of a test.
    pub fn may(&self, test: &str, variant: Option<usize>) -> Outcomes {
        let (always, per_variant) = &self.may;
        let of_variant = variant.and_then(|variant| per_variant.get(variant));
        let rules = [always].into_iter().chain(of_variant).filter(|rules| !rules.is_empty());
        union(rules.flat_map(|rules| rules.matching(test)))
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

/// From byte offsets to line numbers.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    fn of(&self, at: usize) -> usize {
        self.0.partition_point(|newline| *newline < at) + 1
    }
}

struct Reader<'a> {
    text: &'a str,
    reading: Reading<'a>,
    lines: Lines,
    file: StatusFile,
}

/// A section's condition and the variant it holds for, if it depends on one.
struct Section<'a> {
    condition: &'a str,
    variant: Option<&'a str>,
    /// Why nobody can tell whether it holds.
    unknown: Option<String>,
}

/// What one rule comes to.
#[derive(Default)]
struct Parsed {
    /// What it says.
    rule: Rule,
    /// What it may say besides, and why nobody can tell.
    may: Rule,
    unknown: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Problem> {
        let content = parse(self.text)?;
        // What is not known in a newer tree is told where it is said.
        if !self.reading.variables.allows_unknown() {
            check_names(&content, self.reading)?;
        }
        let (Kind::List(sections) | Kind::Tuple(sections)) = &content.kind else {
            return Err(Problem::new(
                content.at,
                "expected a list of sections [condition, {rule: outcomes}]",
            ));
        };
        for section in sections {
            self.section(section)?;
        }
        Ok(())
    }

    fn section(&mut self, section: &Expr) -> Result<(), Problem> {
        let Kind::List(parts) = &section.kind else {
            return Err(Problem::new(section.at, "expected a section [condition, {rule: outcomes}]"));
        };
        let [condition, rules] = parts.as_slice() else {
            return Err(Problem::new(
                section.at,
                format!(
                    "expected a section of 2 elements, [condition, {{rule: outcomes}}], found {}",
                    parts.len()
                ),
            ));
        };
        let Some(text) = word(condition) else {
            return Err(Problem::new(condition.at, "expected the section's condition: ALWAYS or a string"));
        };
        let Kind::Dict(rules_of) = &rules.kind else {
            return Err(Problem::new(rules.at, "expected the section's rules: {rule: outcomes}"));
        };
        let truth = self.evaluate(condition, text, None)?;
        if truth != Truth::NeedsVariant {
            return self.rules_if(truth, rules_of, text, None);
        }
        for variant in self.reading.all_variants {
            let truth = self.evaluate(condition, text, Some(variant))?;
            self.rules_if(truth, rules_of, text, Some(variant))?;
        }
        Ok(())
    }

    /// The rules of a section, if it holds or may hold.
    fn rules_if(
        &mut self,
        holds: Truth,
        rules: &[(Expr, Expr)],
        condition: &str,
        variant: Option<&str>,
    ) -> Result<(), Problem> {
        let unknown = match holds {
            Truth::Known(true) => None,
            Truth::Unknown(problem) => Some(self.not_understood(&problem, "the rules below it may hold")),
            Truth::Known(false) | Truth::NeedsVariant => return Ok(()),
        };
        self.rules(rules, &Section { condition, variant, unknown })
    }

    /// Tells once of something in a newer tree that is not understood. Returns what is wrong.
    fn not_understood(&mut self, problem: &Problem, consequence: &str) -> String {
        let warning = format!(
            "{}:{}: {}: {consequence}",
            self.file.path.display(),
            self.lines.of(problem.at),
            problem.message
        );
        if !self.file.not_understood.contains(&warning) {
            self.file.not_understood.push(warning);
        }
        problem.message.clone()
    }

    /// Evaluates the condition that is the string `condition`, with positions in the file.
    fn evaluate(&self, condition: &Expr, text: &str, variant: Option<&str>) -> Result<Truth, Problem> {
        if text == ALWAYS {
            return Ok(Truth::Known(true));
        }
        let located = |problem: Problem| {
            // A plain string's text stands in the file as it is, behind its quote; one with escapes, triple quotes
            // or several parts does not, and then the string's start has to do.
            let inner = condition.at + 1;
            let plain = self.text.get(inner..).is_some_and(|rest| rest.starts_with(text));
            let at = if plain { inner + problem.at } else { condition.at };
            Problem::new(at, problem.message)
        };
        let truth = match parse(text) {
            Ok(expr) => self.reading.variables.evaluate(&expr, variant),
            Err(problem) if self.reading.variables.allows_unknown() => Ok(Truth::Unknown(problem)),
            Err(problem) => Err(problem),
        };
        match truth {
            Ok(Truth::Unknown(problem)) => Ok(Truth::Unknown(located(problem))),
            truth => truth.map_err(located),
        }
    }

    fn rules(&mut self, rules: &[(Expr, Expr)], section: &Section<'_>) -> Result<(), Problem> {
        let mut last: HashMap<&str, usize> = HashMap::new();
        for (i, (key, _)) in rules.iter().enumerate() {
            match &key.kind {
                Kind::Str(text) if !text.is_empty() => last.insert(text, i),
                _ => return Err(Problem::new(key.at, "expected a rule: a test's name, or a prefix and '*'")),
            };
        }
        for (i, (key, outcomes)) in rules.iter().enumerate() {
            let Kind::Str(text) = &key.kind else { continue };
            let mut parsed = self.outcomes(outcomes, section)?;
            // Of equal keys in one dictionary Python keeps the last.
            if last.get(text.as_str()) != Some(&i) {
                continue;
            }
            if self.reading.vocabulary == Vocabulary::Classic && text.ends_with('*') {
                // V8 5 looks for flags under whole names only.
                parsed.rule.flags.clear();
            }
            let line = self.lines.of(key.at);
            match &section.unknown {
                None => {
                    self.add(text, parsed.rule, section, line, None);
                    if parsed.unknown.is_some() {
                        self.add(text, parsed.may, section, line, parsed.unknown);
                    }
                }
                Some(unknown) => {
                    parsed.rule.outcomes |= parsed.may.outcomes;
                    self.add(text, parsed.rule, section, line, Some(unknown.clone()));
                }
            }
        }
        Ok(())
    }

    /// Adds a rule to those of its section's variant; with `unknown`, to those that may hold.
    fn add(
        &mut self,
        text: &str,
        mut rule: Rule,
        section: &Section<'_>,
        line: usize,
        unknown: Option<String>,
    ) {
        if rule.outcomes.is_empty() && rule.flags.is_empty() && unknown.is_none() {
            return;
        }
        let (always, per_variant) = match unknown {
            None => (&mut self.file.always, &mut self.file.per_variant),
            Some(_) => (&mut self.file.may.0, &mut self.file.may.1),
        };
        let rules = match section.variant {
            None => always,
            Some(variant) => {
                let selected = self.reading.selected.iter().position(|selected| *selected == variant);
                match selected.and_then(|at| per_variant.get_mut(at)) {
                    Some(rules) => rules,
                    None => return,
                }
            }
        };
        rule.sources = vec![self.file.sources.len()];
        self.file.sources.push(SourceRule {
            rule: text.to_owned(),
            condition: section.condition.into(),
            line,
            outcomes: rule.outcomes,
            unknown,
        });
        rules.add(text, rule, Outcomes::join);
    }

    /// One outcome, or a list of outcomes and of `[condition, outcome, ...]`.
    fn outcomes(&mut self, outcomes: &Expr, section: &Section<'_>) -> Result<Parsed, Problem> {
        let mut parsed = Parsed::default();
        match &outcomes.kind {
            Kind::Sum(lists) => {
                for list in lists {
                    self.outcome_list(list, section, &mut parsed)?;
                }
            }
            Kind::List(_) | Kind::Tuple(_) | Kind::Set(_) => {
                self.outcome_list(outcomes, section, &mut parsed)?;
            }
            _ => self.outcome(outcomes, &mut parsed)?,
        }
        Ok(parsed)
    }

    /// A list, tuple or set of outcomes and of `[condition, outcome, ...]`.
    fn outcome_list(
        &mut self,
        list: &Expr,
        section: &Section<'_>,
        parsed: &mut Parsed,
    ) -> Result<(), Problem> {
        match &list.kind {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => {
                for item in items {
                    match &item.kind {
                        Kind::List(parts) => self.conditional(item, parts, section, parsed)?,
                        _ => self.outcome(item, parsed)?,
                    }
                }
                Ok(())
            }
            _ => Err(Problem::new(list.at, "expected a list of outcomes")),
        }
    }

    fn conditional(
        &mut self,
        item: &Expr,
        parts: &[Expr],
        section: &Section<'_>,
        parsed: &mut Parsed,
    ) -> Result<(), Problem> {
        let [condition, outcomes @ ..] = parts else {
            return Err(Problem::new(item.at, "expected [condition, outcome, ...]"));
        };
        let Some(text) = word(condition) else {
            return Err(Problem::new(condition.at, "expected a condition: ALWAYS or a string"));
        };
        match self.evaluate(condition, text, section.variant)? {
            Truth::Known(false) => {}
            Truth::Known(true) => {
                for outcome in outcomes {
                    self.outcome(outcome, parsed)?;
                }
            }
            Truth::Unknown(problem) => {
                let unknown = self.not_understood(&problem, "what follows it may be expected");
                let mut may = Parsed::default();
                for outcome in outcomes {
                    self.outcome(outcome, &mut may)?;
                }
                parsed.may.outcomes |= may.rule.outcomes | may.may.outcomes;
                parsed.unknown.get_or_insert(unknown);
            }
            Truth::NeedsVariant => {
                return Err(Problem::new(
                    condition.at,
                    "a condition among outcomes can use 'variant' only in a section whose own condition does",
                ));
            }
        }
        Ok(())
    }

    fn outcome(&mut self, outcome: &Expr, parsed: &mut Parsed) -> Result<(), Problem> {
        let Some(text) = word(outcome) else {
            return Err(Problem::new(outcome.at, "expected an outcome or [condition, outcome, ...]"));
        };
        let vocabulary = self.reading.vocabulary;
        let rule = &mut parsed.rule;
        let classic_flags = text.strip_prefix("Flags: ").filter(|_| vocabulary == Vocabulary::Classic);
        match vocabulary.word(text).filter(|_| self.reading.knows(text)) {
            Some(word) => rule.outcomes |= word,
            None if classic_flags.is_some() => {
                self.file.has_flags = true;
                rule.flags.extend(classic_flags.unwrap_or_default().split_whitespace().map(String::from));
            }
            None if text.starts_with("--") => {
                self.file.has_flags = true;
                rule.flags.push(text.into());
            }
            // A condition without its brackets is no word of any version: 13.8's status files have such.
            None if self.reading.variables.allows_unknown() && is_name(text) => {
                let problem = Problem::new(outcome.at, self.reading.unknown_word(text));
                let unknown = self.not_understood(&problem, "it may change what is expected");
                parsed.unknown.get_or_insert(unknown);
            }
            None => {
                let place = format!("{}:{}", self.file.path.display(), self.lines.of(outcome.at));
                let warning = match Outcomes::known_to(text) {
                    Some(versions) => format!("{place}: '{text}' is a word of {versions} and is ignored"),
                    None => {
                        let hint = hint(nearest(text, vocabulary.words()));
                        format!("{place}: '{text}' is no outcome and is ignored{hint}")
                    }
                };
                if !self.file.warnings.contains(&warning) {
                    self.file.warnings.push(warning);
                }
            }
        }
        Ok(())
    }
}

/// Whether a text could be a word of status files: a name, as Python has them.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// A string, or a name, which [`check_names`] found to be a word of status files: the name is its own text.
fn word(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Str(text) | Kind::Name(text) => Some(text),
        _ => None,
    }
}

/// Python evaluates the whole file before anything is looked at: each name must have a meaning, in sections that do
/// not hold too.
fn check_names(expr: &Expr, words: Reading<'_>) -> Result<(), Problem> {
    match &expr.kind {
        Kind::Name(name) if words.knows(name) => Ok(()),
        Kind::Name(name) => Err(Problem::new(expr.at, words.unknown_word(name))),
        Kind::Str(_) | Kind::Int(_) => Ok(()),
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::Sum(items) => {
            items.iter().try_for_each(|item| check_names(item, words))
        }
        Kind::Dict(pairs) => {
            pairs.iter().flat_map(|(key, value)| [key, value]).try_for_each(|part| check_names(part, words))
        }
        _ => Err(Problem::new(expr.at, "expected a string, a name, a list or a dictionary")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
