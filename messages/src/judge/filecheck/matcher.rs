//! Matches the directives against the output in order (filecheck 1.0.1 `matcher.py` and `preprocess.py`).

use std::collections::VecDeque;

use super::directive::{Directive, DirectiveKind, directives};
use super::failure::Failure;
use super::input::{Holes, Span, with_newlines};
use super::pattern::{Pattern, Problem, Variables, compile};
use super::re::{Budget, Found};
use crate::outcome::Output;

/// The prefix of CHECK-NEXT's pattern: the rest of the current line, if there is one, and any start of the next.
const NEXT_LINE: &str = r"\n?[^\n]*";

/// Why the output does not satisfy the test's CHECK lines, if it does not. The exit code does not count.
pub(in crate::judge) fn failure(output: &Output, test: &[u8]) -> Option<String> {
    failure_within(output, test, Budget::new())
}

/// Like [`failure`], with a given budget of work.
pub(super) fn failure_within(output: &Output, test: &[u8], budget: Budget) -> Option<String> {
    let stdout = output.stdout.text();
    let text = with_newlines(&stdout);
    if matches!(&*text, "" | "\n") {
        return Some("the output is empty, which no CHECK line can hold for".into());
    }
    let test = match std::str::from_utf8(test) {
        Ok(test) => with_newlines(test),
        Err(error) => {
            let before = test.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            return Some(format!("line {line} of the test is not UTF-8"));
        }
    };
    let directives = match directives(&test) {
        Ok(directives) if directives.is_empty() => return Some("the test has no CHECK lines".into()),
        Ok(directives) => directives,
        Err(why) => return Some(why),
    };
    let why = match Matcher::new(&text, budget).run(&directives, output.stdout.cut() > 0) {
        Ok(()) => return None,
        Err(failure) => failure.to_string(),
    };
    Some(match output.stdout.cut() {
        0 => why,
        cut => format!("{why} (the last {cut} bytes of the output were not kept)"),
    })
}

/// The state between two directives.
pub(super) struct Matcher<'t, 'd> {
    pub(super) text: &'t str,
    /// The rest of the output up to the next label.
    pub(super) rest: Span,
    /// The matches in `rest` of the current sequence of CHECK-DAGs.
    pub(super) holes: Option<Holes>,
    /// The parts of the output after the labels not reached yet.
    labels: VecDeque<Span>,
    pub(super) variables: Variables,
    /// Pending CHECK-NOTs; the range that they exclude begins at `excluded_from`.
    excluded: Vec<&'d Directive>,
    excluded_from: usize,
    pub(super) budget: Budget,
}

impl<'t, 'd> Matcher<'t, 'd> {
    fn new(text: &'t str, budget: Budget) -> Self {
        Self {
            text,
            rest: Span { start: 0, end: Span::OPEN },
            holes: None,
            labels: VecDeque::new(),
            variables: Variables::new(),
            excluded: Vec::new(),
            excluded_from: 0,
            budget,
        }
    }

    /// `cut`: the text is only the beginning of the output.
    fn run(mut self, directives: &'d [Directive], cut: bool) -> Result<(), Failure> {
        self.find_labels(directives)?;
        for directive in directives {
            self.apply(directive)?;
        }
        let undecided = if cut { self.undecided(directives) } else { None };
        // filecheck 1.0.1 leaves out the last character.
        let last = self.text.char_indices().next_back().map_or(0, |(at, _)| at);
        self.check_excluded(last)?;
        match undecided {
            Some(directive) => {
                Err(Failure::new(directive, "cannot be checked: the end of the output is missing"))
            }
            None => Ok(()),
        }
    }

    /// Divides the output at all labels before any other directive is matched. Variables have no values yet.
    fn find_labels(&mut self, directives: &[Directive]) -> Result<(), Failure> {
        for directive in directives.iter().filter(|directive| directive.kind == DirectiveKind::Label) {
            let pattern = self.compiled(directive)?;
            let last = self.labels.back_mut().unwrap_or(&mut self.rest);
            let within = *last;
            let found = search(&pattern, self.text, within, &mut self.budget);
            match found.map_err(|problem| Failure::of(directive, problem))? {
                Some(found) => {
                    let end = std::mem::replace(&mut last.end, found.start);
                    self.labels.push_back(Span { start: found.end, end });
                }
                None => return Err(self.missing(directive, within)),
            }
        }
        Ok(())
    }

    fn apply(&mut self, directive: &'d Directive) -> Result<(), Failure> {
        if directive.kind != DirectiveKind::Dag
            && let Some(holes) = self.holes.take()
            && let Some(end) = holes.last_end()
        {
            self.move_to(directive, end.max(self.rest.start))?;
        }
        match directive.kind {
            DirectiveKind::Check | DirectiveKind::Same => self.find(directive)?,
            DirectiveKind::Count(count) => {
                for _ in 0..count {
                    self.find(directive)?;
                }
            }
            DirectiveKind::Next => self.next(directive)?,
            DirectiveKind::Empty => self.empty(directive)?,
            DirectiveKind::Dag => self.dag(directive)?,
            DirectiveKind::Label => {
                self.check_excluded(self.rest.end)?;
                // There is one for each label: all of them were found.
                self.rest = self.labels.pop_front().unwrap_or(self.rest);
            }
            DirectiveKind::Not => {
                if self.excluded.is_empty() {
                    self.excluded_from = self.rest.start;
                }
                self.excluded.push(directive);
                return Ok(());
            }
        }
        let until = self.holes.as_ref().and_then(Holes::first_start);
        self.check_excluded(until.map_or(self.rest.start, |until| until.min(self.rest.end)))
    }

    pub(super) fn compiled(&mut self, directive: &Directive) -> Result<Pattern, Failure> {
        let start = if directive.kind == DirectiveKind::Next { NEXT_LINE } else { "" };
        compile(start, &directive.pieces, &self.variables, &mut self.budget)
            .map_err(|problem| Failure::of(directive, problem))
    }

    /// Searches from the current position, or in the rest of the current line.
    fn find(&mut self, directive: &Directive) -> Result<(), Failure> {
        let pattern = self.compiled(directive)?;
        let mut within = self.rest;
        if directive.kind == DirectiveKind::Same
            && let Some(newline) = self.newline(within)
        {
            within.end = newline;
        }
        let found = search(&pattern, self.text, within, &mut self.budget);
        match found.map_err(|problem| Failure::of(directive, problem))? {
            Some(found) => self.matched(directive, &pattern, &found),
            None => Err(self.missing(directive, within)),
        }
    }

    fn next(&mut self, directive: &Directive) -> Result<(), Failure> {
        self.skip_line(directive)?;
        let pattern = self.compiled(directive)?;
        let text = prefix(self.text, self.rest.end);
        let found = pattern.regex.match_at(text, self.rest.start, &mut self.budget);
        match found.map_err(|exhausted| Failure::of(directive, exhausted.into()))? {
            Some(found) => self.matched(directive, &pattern, &found),
            None => Err(self.not_next(directive)),
        }
    }

    fn empty(&mut self, directive: &Directive) -> Result<(), Failure> {
        self.skip_line(directive)?;
        let rest = &self.text[self.rest.start..];
        if !rest.starts_with("\n\n") && rest.contains(|c| c != '\n') {
            return Err(self.not_next(directive));
        }
        self.move_to(directive, self.rest.start + 1)
    }

    fn dag(&mut self, directive: &Directive) -> Result<(), Failure> {
        let mut holes = self.holes.take().unwrap_or_default();
        let pattern = self.compiled(directive)?;
        let mut found = Ok(None);
        for gap in holes.gaps(self.rest) {
            found = search(&pattern, self.text, gap, &mut self.budget);
            if !matches!(found, Ok(None)) {
                break;
            }
        }
        match found.map_err(|problem| Failure::of(directive, problem))? {
            Some(found) => {
                holes.add(Span { start: found.start, end: found.end });
                self.holes = Some(holes);
                self.set(directive, &pattern, &found)
            }
            None => Err(self.missing(directive, self.rest)),
        }
    }

    /// Fails if a pending CHECK-NOT matches before `end`; none is pending afterwards.
    fn check_excluded(&mut self, end: usize) -> Result<(), Failure> {
        for directive in std::mem::take(&mut self.excluded) {
            let pattern = self.compiled(directive)?;
            let within = Span { start: self.excluded_from, end };
            let found = search(&pattern, self.text, within, &mut self.budget);
            if let Some(found) = found.map_err(|problem| Failure::of(directive, problem))? {
                return Err(self.excluded(directive, &found));
            }
        }
        Ok(())
    }

    /// A directive that holds so far, but might not if the output had not been truncated.
    fn undecided(&self, directives: &'d [Directive]) -> Option<&'d Directive> {
        let reached = self.holes.as_ref().and_then(Holes::last_end).unwrap_or(self.rest.start);
        match self.excluded.first() {
            None if reached >= self.text.len() => directives.last(),
            first => first.copied(),
        }
    }

    fn matched(&mut self, directive: &Directive, pattern: &Pattern, found: &Found) -> Result<(), Failure> {
        self.move_to(directive, found.end)?;
        self.set(directive, pattern, found)
    }

    fn set(&mut self, directive: &Directive, pattern: &Pattern, found: &Found) -> Result<(), Failure> {
        pattern.set(found, self.text, &mut self.variables).map_err(|problem| Failure::of(directive, problem))
    }

    fn newline(&self, within: Span) -> Option<usize> {
        let line = prefix(self.text, within.end).get(within.start..)?;
        line.find('\n').map(|newline| within.start + newline)
    }

    /// Moves to the end of the current line, except at the very start of the output.
    fn skip_line(&mut self, directive: &Directive) -> Result<(), Failure> {
        if self.rest.start == 0 {
            return Ok(());
        }
        match self.newline(Span { end: Span::OPEN, ..self.rest }) {
            Some(newline) => self.move_to(directive, newline),
            None => Err(self.no_next(directive)),
        }
    }

    fn move_to(&mut self, directive: &Directive, at: usize) -> Result<(), Failure> {
        self.rest.start = at;
        if at > self.rest.end { Err(self.past_label(directive)) } else { Ok(()) }
    }
}

/// The text before `end`, or all of it if it is shorter.
pub(super) fn prefix(text: &str, end: usize) -> &str {
    text.get(..end).unwrap_or(text)
}

/// The first match within the span.
pub(super) fn search(
    pattern: &Pattern,
    text: &str,
    within: Span,
    budget: &mut Budget,
) -> Result<Option<Found>, Problem> {
    Ok(pattern.regex.search(prefix(text, within.end), within.start, budget)?)
}
