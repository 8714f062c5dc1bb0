//! The CHECK lines of a test (filecheck 1.0.1 `parser.py`).

use std::sync::LazyLock;

use super::piece::{Piece, pieces};
use super::re::{digit_value, is_space};
use crate::judge::text::quoted;

/// The kinds of directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DirectiveKind {
    /// `CHECK`: matches anywhere from the current position.
    Check,
    /// `CHECK-COUNT-n`: like `CHECK`, n times.
    Count(u64),
    /// `CHECK-NEXT`: matches in the next line.
    Next,
    /// `CHECK-SAME`: matches in the rest of the current line.
    Same,
    /// `CHECK-EMPTY`: the next line is empty.
    Empty,
    /// `CHECK-NOT`: does not match before the next directive's match.
    Not,
    /// `CHECK-DAG`: matches anywhere, in any order among adjacent ones.
    Dag,
    /// `CHECK-LABEL`: divides the output before all other directives are matched.
    Label,
}

/// One CHECK line.
#[derive(Clone, Debug)]
pub(super) struct Directive {
    pub(super) kind: DirectiveKind,
    /// Its line number in the test, from 1.
    pub(super) line: usize,
    /// The text after the colon.
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
}

impl Directive {
    /// The directive's name as written in the test.
    pub(super) fn name(&self) -> String {
        match self.kind {
            DirectiveKind::Check => "CHECK".into(),
            DirectiveKind::Count(count) => format!("CHECK-COUNT-{count}"),
            DirectiveKind::Next => "CHECK-NEXT".into(),
            DirectiveKind::Same => "CHECK-SAME".into(),
            DirectiveKind::Empty => "CHECK-EMPTY".into(),
            DirectiveKind::Not => "CHECK-NOT".into(),
            DirectiveKind::Dag => "CHECK-DAG".into(),
            DirectiveKind::Label => "CHECK-LABEL".into(),
        }
    }
}

/// A directive in a line. It must not be preceded by a letter, `-` or `_`.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test of this file")]
static DIRECTIVE: LazyLock<regex::Regex> = LazyLock::new(|| {
    regex::Regex::new(
        r"(?:^|[^a-zA-Z\-_])CHECK(?:-(DAG|COUNT-(\d+)|NOT|EMPTY|NEXT|SAME|LABEL))?(\{LITERAL\})?:[\s\x1c-\x1f]?([^\n]*)",
    )
    .expect("a constant pattern")
});

/// The directives of a test in order; the error names the line that cannot be read, and the reason.
pub(super) fn directives(test: &str) -> Result<Vec<Directive>, String> {
    let mut found = Vec::new();
    for (i, line) in test.split_inclusive('\n').enumerate() {
        if line.contains("CHECK") && !is_comment(line) {
            let number = i + 1;
            let read = directive(line, number);
            found.extend(read.map_err(|why| format!("line {number} of the test: {why}"))?);
        }
    }
    Ok(found)
}

/// Whether `COM` or `RUN` occurs before a `CHECK`.
fn is_comment(line: &str) -> bool {
    let marks = ["COM", "RUN"].iter().filter_map(|mark| line.find(mark)).min();
    marks.is_some_and(|at| line[at + 3..].contains("CHECK"))
}

fn directive(line: &str, number: usize) -> Result<Option<Directive>, String> {
    let Some(found) = DIRECTIVE.captures(line) else { return Ok(None) };
    let part = |group| found.get(group).map(|part| part.as_str());
    let kind = match part(1) {
        None => DirectiveKind::Check,
        Some("DAG") => DirectiveKind::Dag,
        Some("NOT") => DirectiveKind::Not,
        Some("EMPTY") => DirectiveKind::Empty,
        Some("NEXT") => DirectiveKind::Next,
        Some("SAME") => DirectiveKind::Same,
        Some("LABEL") => DirectiveKind::Label,
        Some(_) => DirectiveKind::Count(part(2).unwrap_or_default().chars().fold(0, |count, digit| {
            u64::saturating_add(u64::saturating_mul(count, 10), digit_value(digit).into())
        })),
    };
    let text = part(4).unwrap_or_default();
    if kind == DirectiveKind::Count(0) {
        return Err("CHECK-COUNT of 0".into());
    }
    if text.is_empty() && kind != DirectiveKind::Empty {
        return Err(format!("nothing to look for in {}", quoted(Some(line.trim()))));
    }
    let text = text.trim_matches(is_space);
    let pieces = match part(3) {
        Some(_) => vec![Piece::Literal(text.into())],
        None => pieces(text)?,
    };
    Ok(Some(Directive { kind, line: number, text: text.into(), pieces }))
}
