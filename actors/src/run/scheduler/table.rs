//! The tests of a run, compact: a run can have a million.

use std::collections::VecDeque;
use std::time::Duration;

use flotilla_messages::{CaseId, Entry};

use super::length::Length;

/// A test's place in the table.
pub(super) type Index = u32;

const HEAVY: u8 = 1;
const DONE: u8 = 2;
/// The bits above are the [`Length`].
const LENGTH_SHIFT: u32 = 2;

/// All tests found so far, and those that wait.
pub(super) struct Table {
    ids: Vec<u64>,
    flags: Vec<u8>,
    done: u64,
    /// Leased once already, and to be leased again.
    again: VecDeque<Index>,
    /// At most a few at a time: they begin as early as they can.
    heavy: VecDeque<Index>,
    /// The others, by their length.
    plain: [VecDeque<Index>; Length::COUNT],
    /// Which of these are not empty, a bit each.
    filled: u64,
    /// The number of waiting tests.
    waiting: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            flags: Vec::new(),
            done: 0,
            again: VecDeque::new(),
            heavy: VecDeque::new(),
            plain: [const { VecDeque::new() }; Length::COUNT],
            filled: 0,
            waiting: 0,
        }
    }
}

impl Table {
    /// Takes in a test that was found, and how long it is expected to take.
    pub(super) fn add(&mut self, entry: Entry, expected: Option<Duration>) {
        // Four thousand million tests are more than memory holds.
        let Ok(index) = Index::try_from(self.ids.len()) else { return };
        let length = Length::of(expected, entry.slow);
        self.ids.push(entry.id.0);
        self.flags.push(if entry.heavy { HEAVY } else { 0 } | length.bits() << LENGTH_SHIFT);
        self.waiting += 1;
        if entry.heavy {
            self.heavy.push_back(index);
        } else if let Some(queue) = self.plain.get_mut(usize::from(length.bits())) {
            queue.push_back(index);
            self.filled |= 1 << length.bits();
        }
    }

    /// Takes out the test to be started next: the longest.
    pub(super) fn next(&mut self, heavy_allowed: bool) -> Option<Index> {
        let heavy = if heavy_allowed { self.heavy.pop_front() } else { None };
        let next = heavy.or_else(|| self.again.pop_front()).or_else(|| self.longest())?;
        self.waiting -= 1;
        Some(next)
    }

    fn longest(&mut self) -> Option<Index> {
        let length = self.filled.checked_ilog2()?;
        let queue = self.plain.get_mut(length as usize)?;
        let index = queue.pop_front();
        if queue.is_empty() {
            self.filled &= !(1 << length);
        }
        index
    }

    /// Puts a test back, before all others.
    pub(super) fn put_back(&mut self, index: Index) {
        self.waiting += 1;
        if self.is_heavy(index) {
            self.heavy.push_front(index);
        } else {
            self.again.push_front(index);
        }
    }

    pub(super) fn id(&self, index: Index) -> CaseId {
        CaseId(self.ids.get(index as usize).copied().unwrap_or(u64::MAX))
    }

    pub(super) fn is_heavy(&self, index: Index) -> bool {
        self.flag(index, HEAVY)
    }

    pub(super) fn is_done(&self, index: Index) -> bool {
        self.flag(index, DONE)
    }

    /// How long the test is expected to take.
    pub(super) fn length(&self, index: Index) -> Length {
        Length::from_bits(self.flags.get(index as usize).copied().unwrap_or_default() >> LENGTH_SHIFT)
    }

    /// The test has its verdict.
    pub(super) fn set_done(&mut self, index: Index) {
        if let Some(flags) = self.flags.get_mut(index as usize)
            && *flags & DONE == 0
        {
            *flags |= DONE;
            self.done += 1;
        }
    }

    /// How many tests there are.
    pub(super) fn len(&self) -> u64 {
        self.ids.len() as u64
    }

    /// How many have a verdict.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// How many tests wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    fn flag(&self, index: Index, flag: u8) -> bool {
        self.flags.get(index as usize).is_some_and(|flags| flags & flag != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64, slow: bool, heavy: bool) -> Entry {
        Entry { id: CaseId(id), slow, heavy, history_key: 0 }
    }

    fn drained(table: &mut Table, heavy_allowed: bool) -> Vec<u64> {
        std::iter::from_fn(|| table.next(heavy_allowed).map(|index| table.id(index).0)).collect()
    }

    #[test]
    fn heavy_and_slow_tests_come_first_and_the_rest_in_order() {
        let mut table = Table::default();
        for found in
            [entry(10, false, false), entry(11, false, false), entry(12, true, false), entry(13, true, true)]
        {
            table.add(found, None);
        }
        assert_eq!(drained(&mut table, false), [12, 10, 11]);
        assert_eq!(table.waiting(), 1);
        assert_eq!(drained(&mut table, true), [13]);
        table.put_back(1);
        table.put_back(3);
        assert_eq!(table.waiting(), 2);
        assert_eq!(drained(&mut table, true), [13, 11]);
        assert_eq!(table.waiting(), 0);
    }

    #[test]
    fn the_longest_come_first_and_unknown_ones_before_the_short() {
        let mut table = Table::default();
        let lengths = [Some(5), None, Some(60_000), Some(700), Some(20), None, Some(5_000)];
        for (id, millis) in (0..).zip(lengths) {
            table.add(entry(id, false, false), millis.map(Duration::from_millis));
        }
        table.add(entry(7, true, false), None);
        assert_eq!(drained(&mut table, true), [7, 2, 6, 3, 1, 5, 4, 0]);
    }

    #[test]
    fn a_test_is_done_once() {
        let mut table = Table::default();
        table.add(entry(5, false, false), None);
        table.set_done(0);
        table.set_done(0);
        assert_eq!((table.len(), table.done()), (1, 1));
    }
}
