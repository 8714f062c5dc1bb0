//! From the text of a status file to its rules.

use std::collections::HashMap;

use super::condition::Truth;
use super::file::StatusFile;
use super::outcomes::{Outcomes, Vocabulary};
use super::reading::{ALWAYS, Reading};
use super::rules::{Rule, SourceRule};
use crate::syntax::python::{Expr, Kind, Problem, parse};
use flotilla_messages::nearest::{hint, nearest};

/// From byte offsets to line numbers.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    fn of(&self, at: usize) -> usize {
        self.0.partition_point(|newline| *newline < at) + 1
    }
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) reading: Reading<'a>,
    pub(super) lines: Lines,
    pub(super) file: StatusFile,
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
    pub(super) fn read(&mut self) -> Result<(), Problem> {
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
