//! The output, and the part of it being searched (filecheck 1.0.1 `finput.py`).

use std::borrow::Cow;

use crate::judge::text::quoted;

/// Newlines as in Python's text files: `\r\n` and `\r` become `\n`.
pub(super) fn with_newlines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A range of the output in bytes. The last range ends at [`Span::OPEN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// The end of a range that extends to the end of the output, whatever its length.
    pub(super) const OPEN: usize = usize::MAX;
}

/// The matches of CHECK-DAGs, sorted and with gaps between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Holes {
    spans: Vec<Span>,
}

impl Holes {
    pub(super) fn add(&mut self, added: Span) {
        // Merges it with the spans that it overlaps or touches.
        let first = self.spans.partition_point(|span| span.end < added.start);
        let after = self.spans.partition_point(|span| span.start <= added.end);
        let merged = self.spans[first..after]
            .iter()
            .fold(added, |all, one| Span { start: all.start.min(one.start), end: all.end.max(one.end) });
        self.spans.splice(first..after, [merged]);
    }

    /// The parts of `within` that these matches do not cover.
    pub(super) fn gaps(&self, within: Span) -> impl Iterator<Item = Span> {
        let starts = std::iter::once(within.start).chain(self.spans.iter().map(|span| span.end));
        let ends = self.spans.iter().map(|span| span.start).chain([within.end]);
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| Span { start, end })
    }

    pub(super) fn first_start(&self) -> Option<usize> {
        self.spans.first().map(|span| span.start)
    }

    pub(super) fn last_end(&self) -> Option<usize> {
        self.spans.last().map(|span| span.end)
    }
}

/// The line of the output that contains this position, with its number from 1.
pub(super) fn line_at(text: &str, at: usize) -> (usize, &str) {
    let at = at.min(text.len());
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    (before.matches('\n').count() + 1, &text[start..end])
}

/// That line with its number, for people.
pub(super) fn shown(text: &str, at: usize) -> String {
    let (number, line) = line_at(text, at);
    format!("line {number} of the output, {}", quoted(Some(line)))
}
