//! Runs the steps on a text, with backtracking as in Python's `_sre`.

use super::budget::{Budget, Exhausted};
use super::chars::{Fold, One, alike, is_word};
use super::parse::parse;
use super::program::{Automaton, Step, program};
use super::reader::PatternError;
use super::tree::{At, Manner};

/// The maximum number of pending backtracking notes, of 24 bytes each.
const MAX_NOTES: usize = 1 << 20;

const UNSET: usize = usize::MAX;

/// A pattern ready to search. `^` and `$` match at line ends.
#[derive(Debug)]
pub(in crate::judge::filecheck) struct Regex {
    program: Automaton,
}

/// The range of a match, in bytes.
#[derive(Debug)]
pub(in crate::judge::filecheck) struct Found {
    pub(in crate::judge::filecheck) start: usize,
    pub(in crate::judge::filecheck) end: usize,
    slots: Vec<usize>,
}

impl Found {
    /// The text of a group: `None` if there is no such group, `Some(None)` if it took no part in the match.
    pub(in crate::judge::filecheck) fn group<'t>(
        &self,
        text: &'t str,
        group: usize,
    ) -> Option<Option<&'t str>> {
        match *self.slots.get(2 * group..2 * group + 2)? {
            [start, end] => Some(text.get(start..end)),
            _ => None,
        }
    }
}

impl Regex {
    pub(in crate::judge::filecheck) fn new(pattern: &str) -> Result<Self, PatternError> {
        let parsed = parse(pattern)?;
        Ok(Self { program: program(&parsed.node, parsed.groups) })
    }

    /// Python's `pattern.search(text, start, end)`, where `text` already ends at `end`. What precedes `start` still
    /// counts for `^`, `\b` and look-behind.
    pub(in crate::judge::filecheck) fn search(
        &self,
        text: &str,
        start: usize,
        budget: &mut Budget,
    ) -> Result<Option<Found>, Exhausted> {
        let prefix = self.program.literal(0).unwrap_or_default();
        let run_of = self.program.run_of();
        let mut run = Run::new(&self.program, text, budget);
        let mut at = start;
        while let Some(rest) = text.get(at..) {
            if !prefix.is_empty() {
                let skipped = rest.find(prefix);
                run.budget.spend(cost(skipped.unwrap_or(rest.len()), prefix))?;
                match skipped {
                    Some(skipped) => at += skipped,
                    None => return Ok(None),
                }
            }
            if let Some(found) = run.match_at(at)? {
                return Ok(Some(found));
            }
            // If no match begins with the whole run of characters, none begins with a part of its end either.
            let mut rest = text[at..].chars();
            let skipped = rest.find(|c| !run_of.is_some_and(|one| one.takes(*c)));
            let Some(next) = skipped else { return Ok(None) };
            at = text.len() - rest.as_str().len();
            debug_assert!(text[..at].ends_with(next));
        }
        Ok(None)
    }

    /// Python's `pattern.match(text, start, end)`, with the same conventions as [`Regex::search`].
    pub(in crate::judge::filecheck) fn match_at(
        &self,
        text: &str,
        start: usize,
        budget: &mut Budget,
    ) -> Result<Option<Found>, Exhausted> {
        Run::new(&self.program, text, budget).match_at(start)
    }
}

/// What to do when a step fails: notes are processed from the last to the first.
#[derive(Clone, Copy, Debug)]
enum Note {
    /// Continue at this step.
    Go { step: u32, at: usize },
    /// Take one character less, if more than the minimum are taken, and continue after the step.
    Less { step: u32, least: usize, at: usize },
    /// Take one character more, if the step's place matches it, and continue after the step.
    More { step: u32, left: u32, at: usize },
    /// Run another round of a lazy loop.
    Again { step: u32, at: usize },
    /// Restore the value of a slot.
    Slot { slot: u32, was: usize },
    /// Restore a loop's counter.
    Counter { counter: u32, was: Counter },
}

/// Number of completed rounds of a loop, and where the last one began.
#[derive(Clone, Copy, Debug)]
struct Counter {
    rounds: u32,
    at: usize,
}

/// The cost, in steps, of searching this many bytes for a text: little per byte, plus some for preparation.
fn cost(searched: usize, literal: &str) -> usize {
    searched / 16 + literal.len() / 4 + 1
}

struct Run<'a> {
    program: &'a Automaton,
    text: &'a str,
    budget: &'a mut Budget,
    slots: Vec<usize>,
    counters: Vec<Counter>,
    notes: Vec<Note>,
}

impl<'a> Run<'a> {
    fn new(program: &'a Automaton, text: &'a str, budget: &'a mut Budget) -> Self {
        let slots = vec![UNSET; 2 * (program.groups + 1)];
        let counters = vec![Counter { rounds: 0, at: UNSET }; program.counters];
        Self { program, text, budget, slots, counters, notes: Vec::new() }
    }

    fn match_at(&mut self, start: usize) -> Result<Option<Found>, Exhausted> {
        if start > self.text.len() {
            return Ok(None);
        }
        // A failed run has restored all slots.
        Ok(self.run(0, start)?.map(|end| Found { start, end, slots: std::mem::take(&mut self.slots) }))
    }

    /// Runs from this step up to an `Accept` and returns its position. If there is none, the state is unchanged.
    fn run(&mut self, mut step: usize, mut at: usize) -> Result<Option<usize>, Exhausted> {
        let base = self.notes.len();
        loop {
            self.budget.spend(1)?;
            let next = match &self.program.steps[step] {
                Step::One(one) => self.one(one, at).map(|at| (step + 1, at)),
                Step::Literal(literal) => {
                    self.budget.spend(literal.len() / 16)?;
                    let found = self.text[at..].starts_with(&**literal);
                    found.then(|| (step + 1, at + literal.len()))
                }
                Step::At(place) => self.is_at(*place, at).then_some((step + 1, at)),
                Step::Save(slot) => {
                    self.save(*slot, at)?;
                    Some((step + 1, at))
                }
                Step::Or(other) => {
                    self.note(Note::Go { step: *other as u32, at })?;
                    Some((step + 1, at))
                }
                Step::Jump(to) => Some((*to, at)),
                Step::Many { one, min, max, manner } => {
                    self.many(step, one, (*min, *max), *manner, at)?.map(|at| (step + 1, at))
                }
                Step::Enter { counter, end } => {
                    self.count(*counter, Counter { rounds: 0, at: UNSET })?;
                    Some((*end, at))
                }
                Step::Loop { counter, min, max, lazy, body } => {
                    let now = self.counters[*counter];
                    if now.rounds < *min {
                        self.count(*counter, Counter { rounds: now.rounds + 1, ..now })?;
                        Some((*body, at))
                    } else if *lazy {
                        self.note(Note::Again { step: step as u32, at })?;
                        Some((step + 1, at))
                    } else if max.is_none_or(|max| now.rounds < max) && now.at != at {
                        self.note(Note::Go { step: step as u32 + 1, at })?;
                        self.count(*counter, Counter { rounds: now.rounds.saturating_add(1), at })?;
                        Some((*body, at))
                    } else {
                        Some((step + 1, at))
                    }
                }
                Step::Back { group, fold } => self.again(*group, *fold, at)?.map(|at| (step + 1, at)),
                Step::Atomic { next } => self.run(step + 1, at)?.map(|at| (*next, at)),
                Step::Look { behind, negative, next } => {
                    self.look(step + 1, *behind, *negative, at)?.then_some((*next, at))
                }
                Step::If { group, no } => {
                    Some((if self.held(*group).is_some() { step + 1 } else { *no }, at))
                }
                Step::Accept => {
                    self.drop_alternatives(base);
                    return Ok(Some(at));
                }
            };
            (step, at) = match next {
                Some(next) => next,
                None => match self.go_back(base)? {
                    Some(next) => next,
                    None => return Ok(None),
                },
            };
        }
    }

    /// Undoes what happened since the last alternative and returns that alternative. If there is none, the initial
    /// state is restored.
    fn go_back(&mut self, base: usize) -> Result<Option<(usize, usize)>, Exhausted> {
        while self.notes.len() > base {
            let Some(note) = self.notes.pop() else { break };
            match note {
                Note::Go { step, at } => return Ok(Some((step as usize, at))),
                Note::Less { step, least, at } => {
                    if let Some(at) = self.less(step as usize, least, at)? {
                        if at > least {
                            self.notes.push(Note::Less { step, least, at });
                        }
                        return Ok(Some((step as usize + 1, at)));
                    }
                }
                Note::More { step, left, at } => {
                    if let Step::Many { one, .. } = &self.program.steps[step as usize]
                        && let Some(at) = self.one(one, at)
                    {
                        if left > 1 {
                            self.notes.push(Note::More { step, left: left - 1, at });
                        }
                        return Ok(Some((step as usize + 1, at)));
                    }
                }
                Note::Again { step, at } => {
                    if let Step::Loop { counter, max, body, .. } = &self.program.steps[step as usize] {
                        let was = self.counters[*counter];
                        if max.is_none_or(|max| was.rounds < max) && was.at != at {
                            self.notes.push(Note::Counter { counter: *counter as u32, was });
                            self.counters[*counter] = Counter { rounds: was.rounds.saturating_add(1), at };
                            return Ok(Some((*body, at)));
                        }
                    }
                }
                Note::Slot { slot, was } => self.slots[slot as usize] = was,
                Note::Counter { counter, was } => self.counters[counter as usize] = was,
            }
        }
        Ok(None)
    }

    /// The last position in this range where what follows the step may match; `at` itself is excluded.
    fn less(&mut self, step: usize, least: usize, at: usize) -> Result<Option<usize>, Exhausted> {
        let Some(literal) = self.program.literal(step + 1) else { return Ok(self.back(at, 1)) };
        let most = (at - 1 + literal.len()).min(self.text.len());
        let end = (least..=most).rev().find(|&end| self.text.is_char_boundary(end)).unwrap_or(least);
        let found = self.text[least..end].rfind(literal).map(|found| least + found);
        self.budget.spend(cost(end - found.unwrap_or(least), literal))?;
        Ok(found)
    }

    /// Discards the alternatives, but keeps the notes that restore values.
    fn drop_alternatives(&mut self, base: usize) {
        let mut kept = base;
        for i in base..self.notes.len() {
            if matches!(self.notes[i], Note::Slot { .. } | Note::Counter { .. }) {
                self.notes.swap(kept, i);
                kept += 1;
            }
        }
        self.notes.truncate(kept);
    }

    fn note(&mut self, note: Note) -> Result<(), Exhausted> {
        if self.notes.len() >= MAX_NOTES {
            return Err(Exhausted);
        }
        self.notes.push(note);
        Ok(())
    }

    fn save(&mut self, slot: usize, at: usize) -> Result<(), Exhausted> {
        self.note(Note::Slot { slot: slot as u32, was: self.slots[slot] })?;
        self.slots[slot] = at;
        Ok(())
    }

    fn count(&mut self, counter: usize, now: Counter) -> Result<(), Exhausted> {
        self.note(Note::Counter { counter: counter as u32, was: self.counters[counter] })?;
        self.counters[counter] = now;
        Ok(())
    }

    fn char_at(&self, at: usize) -> Option<char> {
        match self.text.as_bytes().get(at)? {
            byte if byte.is_ascii() => Some(char::from(*byte)),
            _ => self.text[at..].chars().next(),
        }
    }

    fn one(&self, one: &One, at: usize) -> Option<usize> {
        let c = self.char_at(at)?;
        one.takes(c).then(|| at + c.len_utf8())
    }

    /// The position `count` characters before `at`.
    fn back(&self, at: usize, count: usize) -> Option<usize> {
        match count {
            0 => Some(at),
            count => self.text[..at].char_indices().rev().nth(count - 1).map(|(at, _)| at),
        }
    }

    fn many(
        &mut self,
        step: usize,
        one: &One,
        (min, max): (u32, Option<u32>),
        manner: Manner,
        start: usize,
    ) -> Result<Option<usize>, Exhausted> {
        let mut at = start;
        let mut least = if min == 0 { Some(start) } else { None };
        let mut taken: u32 = 0;
        let wanted = if manner == Manner::Lazy { min } else { max.unwrap_or(u32::MAX) };
        while taken < wanted {
            let Some(next) = self.one(one, at) else { break };
            at = next;
            taken += 1;
            if taken == min {
                least = Some(at);
            }
        }
        self.budget.spend(taken as usize)?;
        let Some(least) = least else { return Ok(None) };
        let left = max.map_or(u32::MAX, |max| max - taken);
        match manner {
            Manner::Greedy if at > least => self.note(Note::Less { step: step as u32, least, at })?,
            Manner::Lazy if left > 0 => self.note(Note::More { step: step as u32, left, at })?,
            _ => {}
        }
        Ok(Some(at))
    }

    /// The text of a group; `None` also while the group is being matched again.
    fn held(&self, group: usize) -> Option<&'a str> {
        self.text.get(self.slots[2 * group]..self.slots[2 * group + 1])
    }

    /// Matches the text of the group again.
    fn again(&mut self, group: usize, fold: Fold, at: usize) -> Result<Option<usize>, Exhausted> {
        let (Some(held), Some(rest)) = (self.held(group), self.text.get(at..)) else { return Ok(None) };
        self.budget.spend(held.len())?;
        if fold == Fold::Exact {
            return Ok(rest.starts_with(held).then(|| at + held.len()));
        }
        let mut chars = rest.chars();
        let found = held.chars().all(|a| chars.next().is_some_and(|b| alike(a, b, fold)));
        Ok(found.then(|| self.text.len() - chars.as_str().len()))
    }

    fn look(
        &mut self,
        step: usize,
        behind: Option<usize>,
        negative: bool,
        at: usize,
    ) -> Result<bool, Exhausted> {
        let Some(start) = self.back(at, behind.unwrap_or(0)) else { return Ok(negative) };
        let base = self.notes.len();
        let found = self.run(step, start)?.is_some();
        if found && negative {
            // Captures made there are discarded.
            self.go_back(base)?;
        }
        Ok(found != negative)
    }

    fn is_at(&self, place: At, at: usize) -> bool {
        let bytes = self.text.as_bytes();
        match place {
            At::Start => at == 0,
            At::LineStart => at == 0 || bytes[at - 1] == b'\n',
            At::End => at == bytes.len(),
            At::LastEnd => at == bytes.len() || bytes[at..] == *b"\n",
            At::LineEnd => at == bytes.len() || bytes[at] == b'\n',
            // In Python, an empty text matches neither `\b` nor `\B`.
            At::Boundary { .. } if bytes.is_empty() => false,
            At::Boundary { ascii, negated } => {
                let word = |c: Option<char>| c.is_some_and(|c| is_word(c) && (c.is_ascii() || !ascii));
                let before = word(self.text[..at].chars().next_back());
                (before != word(self.char_at(at))) != negated
            }
        }
    }
}
