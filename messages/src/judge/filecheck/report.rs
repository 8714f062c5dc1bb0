//! Explains to people why a directive does not match.

use super::directive::{Directive, DirectiveKind};
use super::failure::Failure;
use super::input::{Span, line_at, shown};
use super::matcher::{Matcher, search};
use super::pattern::compile;
use super::piece::Piece;
use super::re::Found;
use crate::judge::text::quoted;

/// The maximum number of steps for finding a possible match.
const HINT_STEPS: u64 = 1_000_000;

/// The minimum number of characters of a possible match, as in filecheck.
const HINT_CHARS: usize = 5;

impl Matcher<'_, '_> {
    pub(super) fn missing(&self, directive: &Directive, within: Span) -> Failure {
        let wanted = quoted(Some(&directive.text));
        let (first, line) = line_at(self.text, within.start);
        let place = match directive.kind {
            DirectiveKind::Same => format!("the rest of line {first} of the output"),
            DirectiveKind::Label => format!("the output from line {first} on"),
            _ if within.end == Span::OPEN => format!("the output from line {first} on"),
            _ => {
                let (last, _) = line_at(self.text, within.end);
                format!("the output from line {first} on, up to the next CHECK-LABEL's match in line {last}")
            }
        };
        let why = format!("found no {wanted} in {place}; line {first} is {}", quoted(Some(line)));
        Failure::new(directive, why + &self.hint(directive))
    }

    /// The next line is not the wanted one.
    pub(super) fn not_next(&self, directive: &Directive) -> Failure {
        let at = self.rest.start;
        let next = at + usize::from(self.text[at..].starts_with('\n'));
        let wanted = match directive.kind {
            DirectiveKind::Empty => "an empty line".into(),
            _ => quoted(Some(&directive.text)),
        };
        let why = format!("expected {wanted}, but found {}", shown(self.text, next));
        Failure::new(directive, why + &self.hint(directive))
    }

    /// There is no next line.
    pub(super) fn no_next(&self, directive: &Directive) -> Failure {
        let why = format!("found no line after {}, the last one", shown(self.text, self.rest.start));
        Failure::new(directive, why)
    }

    pub(super) fn past_label(&self, directive: &Directive) -> Failure {
        let why =
            format!("goes past the match of the next CHECK-LABEL in {}", shown(self.text, self.rest.end));
        Failure::new(directive, why)
    }

    pub(super) fn excluded(&self, directive: &Directive, found: &Found) -> Failure {
        let wanted = quoted(Some(&directive.text));
        Failure::new(directive, format!("found {wanted} in {}", shown(self.text, found.start)))
    }

    /// A possible match: the first place where a shortened form of the directive matches.
    fn hint(&self, directive: &Directive) -> String {
        let mut budget = self.budget.part(HINT_STEPS);
        let mut pieces = directive.pieces.clone();
        // A text missing in one line may occur in another.
        let mut shortened = matches!(directive.kind, DirectiveKind::Next | DirectiveKind::Same);
        let within = Span { end: Span::OPEN, ..self.rest };
        loop {
            if !shortened {
                match pieces.pop() {
                    Some(Piece::Literal(text)) if text.chars().count() > HINT_CHARS => {
                        let half = text.chars().count() / 2;
                        pieces.push(Piece::Literal(text.chars().take(half).collect()));
                    }
                    Some(_) => {}
                    None => return String::new(),
                }
            }
            shortened = false;
            if approximate_chars(&pieces) < HINT_CHARS {
                return String::new();
            }
            let Ok(pattern) = compile("", &pieces, &self.variables, &mut budget) else { continue };
            match search(&pattern, self.text, within, &mut budget) {
                Ok(Some(found)) => return format!("; a possible match is {}", shown(self.text, found.start)),
                Ok(None) => {}
                Err(_) => return String::new(),
            }
        }
    }
}

/// The approximate number of characters that pieces ask for.
fn approximate_chars(pieces: &[Piece]) -> usize {
    let of = |piece: &Piece| match piece {
        Piece::Literal(text) | Piece::Regex(text) | Piece::Capture { regex: text, .. } => {
            text.chars().count()
        }
        Piece::Variable(_) | Piece::Expression(_) => 0,
    };
    pieces.iter().map(of).sum()
}
