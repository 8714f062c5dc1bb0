//! Status files of 2012 and before: lines, no Python.
//!
//! ```text
//! prefix mjsunit
//! # Comment
//! bugs/*: FAIL
//! [ $arch == arm && $mode == debug ]
//! a/b: PASS, SKIP if ($mode == debug || $isolates)
//! ```
//!
//! Read as V8 3.14's `run-tests.py` reads them, by way of its `old_statusfile.py`: a rule is a whole name, or a prefix
//! and `*`; `def` and `prefix` are passed over; what several sections say under one name is joined by the plain union.
//! `||` means the same as a comma among outcomes; `&&` binds no tighter than `||`, and `if` tighter than both.

use super::condition::{Variable, Variables};
use super::file::StatusFile;
use super::outcomes::{Outcomes, Vocabulary};
use super::reading::Reading;
use super::rules::{Rule, SourceRule};
use crate::syntax::python::Problem;
use flotilla_messages::nearest::{hint, nearest};

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 64;

/// Reads `text` into `file`.
///
/// # Errors
/// An invalid expression. Unknown lines are warnings, as in V8.
pub(super) fn read(mut file: StatusFile, text: &str, reading: Reading<'_>) -> Result<StatusFile, Problem> {
    let mut section = ("ALWAYS".to_owned(), true);
    // Of equal names in one section the last counts.
    let mut rules: Vec<(String, Rule, usize)> = Vec::new();
    let mut at = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        let bare = line.trim();
        if bare.is_empty() || line.starts_with('#') || is_passed_over(bare) {
            continue;
        }
        if let Some(condition) =
            line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(text, _)| text)
        {
            close(&mut file, &mut rules, &section.0);
            let expr = parse(condition, start + 1)?;
            section = (condition.trim().to_owned(), holds(&expr, reading.variables)?);
            continue;
        }
        let name = line.trim_start().split([':', ' ']).next().unwrap_or_default().trim();
        let rest = &line[line.find(name).unwrap_or_default() + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix(':').filter(|_| !name.is_empty()) else {
            file.warnings.push(format!("{}:{}: malformed line '{bare}'", file.path.display(), i + 1));
            continue;
        };
        let value = value.split('#').next().unwrap_or_default();
        let from = start + (value.as_ptr() as usize - line.as_ptr() as usize);
        let expr = parse(value, from)?;
        let mut rule = Rule::default();
        outcomes(&expr, reading, &mut rule.outcomes, &mut |word| {
            let nearest = nearest(word, Vocabulary::Classic.words());
            let place = format!("{}:{}", file.path.display(), i + 1);
            file.warnings.push(format!("{place}: '{word}' is no outcome and is ignored{}", hint(nearest)));
        })?;
        if section.1 && !rule.outcomes.is_empty() {
            rules.retain(|(have, ..)| have != name);
            rules.push((name.to_owned(), rule, i + 1));
        }
    }
    close(&mut file, &mut rules, &section.0);
    Ok(file)
}

/// The end of a section: what it said is joined with what others did.
fn close(file: &mut StatusFile, rules: &mut Vec<(String, Rule, usize)>, condition: &str) {
    for (name, mut rule, line) in rules.drain(..) {
        rule.sources = vec![file.sources.len()];
        let (condition, outcomes) = (condition.to_owned(), rule.outcomes);
        file.sources.push(SourceRule { rule: name.clone(), condition, line, outcomes, unknown: None });
        file.always.add(&name, rule, |a, b| a | b);
    }
}

/// `def NAME = ...` and `prefix PATH`, which only the runner before `run-tests.py` looked at.
fn is_passed_over(line: &str) -> bool {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("def") => line.contains('='),
        Some("prefix") => words.next().is_some() && words.next().is_none(),
        _ => false,
    }
}

/// An expression, and the offset it begins at.
#[derive(Debug)]
struct LineExpr {
    at: usize,
    kind: LineExprKind,
}

#[derive(Debug)]
enum LineExprKind {
    Constant(bool),
    Word(String),
    Variable(String),
    Both(Box<LineExpr>, Box<LineExpr>),
    Either(Box<LineExpr>, Box<LineExpr>),
    Equal(Box<LineExpr>, Box<LineExpr>, bool),
    If(Box<LineExpr>, Box<LineExpr>),
}

/// The one expression that `text` is; positions are offset by `base`.
fn parse(text: &str, base: usize) -> Result<LineExpr, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let len = match c {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '(' | ')' | '$' | ',' => 1,
            _ if word > 0 => word,
            _ if ["&&", "||", "==", "!="].iter().any(|op| rest.starts_with(op)) => 2,
            c => return Err(Problem::new(base + at, format!("'{c}' is no part of an expression"))),
        };
        tokens.push((&rest[..len], base + at));
        at += len;
    }
    let mut parser = LineParser { tokens, next: 0, end: base + text.trim_end().len(), depth: 0 };
    let expr = parser.logical()?;
    match parser.peek() {
        "" => Ok(expr),
        found => Err(Problem::new(parser.at(), format!("expected the end, found '{found}'"))),
    }
}

struct LineParser<'a> {
    tokens: Vec<(&'a str, usize)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl<'a> LineParser<'a> {
    /// The next token; empty at the end.
    fn peek(&self) -> &'a str {
        self.tokens.get(self.next).map_or("", |(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, at)| *at)
    }

    fn descend(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Problem::new(self.at(), format!("more than {MAX_DEPTH} operators and parentheses")));
        }
        Ok(())
    }

    fn logical(&mut self) -> Result<LineExpr, Problem> {
        let mut left = self.conditional()?;
        loop {
            let op = self.peek();
            if !matches!(op, "&&" | "||" | ",") {
                return Ok(left);
            }
            self.descend()?;
            self.next += 1;
            let right = Box::new(self.conditional()?);
            let at = left.at;
            let left_side = Box::new(left);
            let kind = if op == "&&" {
                LineExprKind::Both(left_side, right)
            } else {
                LineExprKind::Either(left_side, right)
            };
            left = LineExpr { at, kind };
        }
    }

    fn conditional(&mut self) -> Result<LineExpr, Problem> {
        let mut left = self.comparison()?;
        while self.peek() == "if" {
            self.descend()?;
            self.next += 1;
            let right = Box::new(self.comparison()?);
            left = LineExpr { at: left.at, kind: LineExprKind::If(Box::new(left), right) };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<LineExpr, Problem> {
        let left = self.atom()?;
        let equal = match self.peek() {
            "==" => true,
            "!=" => false,
            _ => return Ok(left),
        };
        self.descend()?;
        self.next += 1;
        let right = Box::new(self.comparison()?);
        Ok(LineExpr { at: left.at, kind: LineExprKind::Equal(Box::new(left), right, equal) })
    }

    fn atom(&mut self) -> Result<LineExpr, Problem> {
        let at = self.at();
        let token = self.peek();
        let is_word = |token: &str| token.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        self.next += 1;
        let kind = match token {
            "true" => LineExprKind::Constant(true),
            "false" => LineExprKind::Constant(false),
            "(" => {
                self.descend()?;
                let inner = self.logical()?;
                if self.peek() != ")" {
                    return Err(Problem::new(self.at(), "expected ')'"));
                }
                self.next += 1;
                return Ok(inner);
            }
            "$" if is_word(self.peek()) => {
                let name = self.peek().to_lowercase();
                self.next += 1;
                LineExprKind::Variable(name)
            }
            token if is_word(token) => LineExprKind::Word(token.into()),
            "" => return Err(Problem::new(at, "expected a word, found the end")),
            token => return Err(Problem::new(at, format!("expected a word, found '{token}'"))),
        };
        Ok(LineExpr { at, kind })
    }
}

/// What stands on a side of `==`.
fn side<'a>(expr: &'a LineExpr, variables: &'a Variables) -> Result<Variable, Problem> {
    match &expr.kind {
        LineExprKind::Word(word) => Ok(Variable::Text(word.clone())),
        LineExprKind::Variable(name) => variable(name, expr, variables).cloned(),
        LineExprKind::Constant(value) => Ok(Variable::Bool(*value)),
        _ => Err(Problem::new(expr.at, "expected a word or a variable beside '==' or '!='")),
    }
}

fn variable<'a>(name: &str, expr: &LineExpr, variables: &'a Variables) -> Result<&'a Variable, Problem> {
    variables.get(name).ok_or_else(|| Problem::new(expr.at, format!("unknown variable '${name}'")))
}

/// Whether a condition holds.
fn holds(expr: &LineExpr, variables: &Variables) -> Result<bool, Problem> {
    Ok(match &expr.kind {
        LineExprKind::Constant(value) => *value,
        LineExprKind::Both(a, b) => holds(a, variables)? && holds(b, variables)?,
        LineExprKind::Either(a, b) => holds(a, variables)? || holds(b, variables)?,
        LineExprKind::Equal(a, b, equal) => (side(a, variables)? == side(b, variables)?) == *equal,
        LineExprKind::Variable(name) => match variable(name, expr, variables)? {
            Variable::Bool(value) => *value,
            _ => return Err(Problem::new(expr.at, "this is neither true nor false")),
        },
        LineExprKind::Word(_) | LineExprKind::If(..) => {
            return Err(Problem::new(expr.at, "this is no condition"));
        }
    })
}

/// The words that an expression of outcomes comes to. What is no outcome is told to `unknown`.
fn outcomes(
    expr: &LineExpr,
    reading: Reading<'_>,
    found: &mut Outcomes,
    unknown: &mut impl FnMut(&str),
) -> Result<(), Problem> {
    match &expr.kind {
        LineExprKind::Either(a, b) => {
            outcomes(a, reading, found, unknown)?;
            outcomes(b, reading, found, unknown)
        }
        LineExprKind::If(then, condition) => {
            // Both sides are read, so that a broken one is found whatever holds.
            let mut inner = Outcomes::default();
            outcomes(then, reading, &mut inner, unknown)?;
            if holds(condition, reading.variables)? {
                *found |= inner;
            }
            Ok(())
        }
        LineExprKind::Word(word) => {
            match reading.vocabulary.word(word) {
                Some(set) => *found |= set,
                None => unknown(word),
            }
            Ok(())
        }
        _ => Err(Problem::new(expr.at, "expected outcomes: words, commas, 'if'")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::reading::Syntax;
    use super::*;
    use crate::syntax::python::Diagnostic;

    fn try_read(text: &str) -> Result<StatusFile, Diagnostic> {
        let mut variables = Variables::default();
        variables.set("arch", "x64");
        variables.set("mode", "debug");
        variables.set("isolates", false);
        let reading = Reading {
            variables: &variables,
            all_variants: &[],
            selected: &[],
            vocabulary: Vocabulary::Classic,
            syntax: Syntax::Lines,
            keywords: None,
        };
        StatusFile::read(Path::new("t.status"), text, reading)
    }

    fn problem(text: &str) -> String {
        try_read(text).unwrap_err().to_string().lines().next().unwrap().into()
    }

    #[test]
    fn rules_hold_by_section_and_condition() {
        let file = try_read(
            "prefix mjsunit\ndef FAIL_OK = FAIL, OKAY\n# c\nbugs/*: FAIL  # why\na: PASS, SKIP if ($mode == debug || $arch == arm)\n\
             b: (PASS || TIMEOUT), SKIP if $mode != debug\n\n[ $arch == arm || $arch == mips ]\na: FAIL\n\
             [ $arch == x64 && $isolates != true ]\n  a : CRASH\nc: FAIL_OK\nc: PASS_OR_FAIL\n",
        )
        .unwrap();
        let found = |name: &str| file.outcomes(name).to_string();
        assert_eq!(found("bugs/x"), "FAIL");
        assert_eq!(found("a"), "PASS, CRASH, SKIP");
        assert_eq!(found("b"), "PASS, TIMEOUT");
        assert_eq!(found("c"), "PASS, FAIL", "the last of equal names in a section counts");
        let why = file.why("a", None, Outcomes::CRASH).unwrap();
        assert_eq!((why.condition.as_str(), why.line), ("$arch == x64 && $isolates != true", 11));
        assert!(file.warnings().is_empty(), "{:?}", file.warnings());
    }

    #[test]
    fn a_pass_elsewhere_does_not_give_way_to_a_fail() {
        // V8 3: the plain union. Later versions drop the PASS.
        let file = try_read("a: PASS, SLOW\n[ $mode == debug ]\na: FAIL\n").unwrap();
        assert_eq!(file.outcomes("a").to_string(), "PASS, FAIL, SLOW");
    }

    #[test]
    fn and_binds_no_tighter_than_or() {
        let file = try_read("[ $mode == debug || $mode == debug && $mode == release ]\na: SKIP\n").unwrap();
        assert!(file.outcomes("a").is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(problem("a: PASS\n[ $arch = arm ]\n"), "t.status:2:9: '=' is no part of an expression");
        assert_eq!(problem("a: SKIP if $mod == debug"), "t.status:1:12: unknown variable '$mod'");
        assert_eq!(problem("a: (PASS"), "t.status:1:9: expected ')'");
        assert_eq!(problem("a: PASS,"), "t.status:1:9: expected a word, found the end");
        assert_eq!(problem("a: PASS FAIL"), "t.status:1:9: expected the end, found 'FAIL'");
        assert_eq!(problem("[ debug ]"), "t.status:1:3: this is no condition");
        assert!(problem(&format!("a: {}", "(".repeat(10_000))).contains("more than 64"));
        let odd = try_read("nonsense here\na: FIAL\n").unwrap();
        assert_eq!(
            odd.warnings(),
            [
                "t.status:1: malformed line 'nonsense here'",
                "t.status:2: 'FIAL' is no outcome and is ignored; did you mean 'FAIL'?"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = try_read(&text);
        }

        #[test]
        fn any_words_are_read_or_refused(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[", "]", "a", ":", "PASS", "SKIP", "if", "$mode", "==", "debug", "||", "&&", ",", "(", ")", "\n",
                    "#", "prefix", "def", "!=", "$isolates",
                ]),
                0..60,
            )
        ) {
            let _ = try_read(&words.join(" "));
        }
    }
}
