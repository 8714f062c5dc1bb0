//! The tests of a run, compact: a run can have a million.

use std::collections::VecDeque;

use flotilla_messages::{CaseId, Entry};

/// A test's place in the table.
pub(super) type Index = u32;

const HEAVY: u8 = 1;
const DONE: u8 = 2;

/// All tests found so far, and those that wait.
#[derive(Default)]
pub(super) struct Table {
    ids: Vec<u64>,
    flags: Vec<u8>,
    done: u64,
    /// Leased once already, and to be leased again.
    again: VecDeque<Index>,
    /// At most a few at a time: they begin as early as they can.
    heavy: VecDeque<Index>,
    slow: VecDeque<Index>,
    plain: VecDeque<Index>,
}

impl Table {
    /// Takes in a test that was found.
    pub(super) fn add(&mut self, entry: Entry) {
        // Four thousand million tests are more than memory holds.
        let Ok(index) = Index::try_from(self.ids.len()) else { return };
        self.ids.push(entry.id.0);
        self.flags.push(if entry.heavy { HEAVY } else { 0 });
        let queue = match (entry.heavy, entry.slow) {
            (true, _) => &mut self.heavy,
            (false, true) => &mut self.slow,
            (false, false) => &mut self.plain,
        };
        queue.push_back(index);
    }

    /// Takes out the test to be started next.
    pub(super) fn next(&mut self, heavy_allowed: bool) -> Option<Index> {
        let heavy = if heavy_allowed { self.heavy.pop_front() } else { None };
        heavy
            .or_else(|| self.again.pop_front())
            .or_else(|| self.slow.pop_front())
            .or_else(|| self.plain.pop_front())
    }

    /// Puts a test back, before all others.
    pub(super) fn put_back(&mut self, index: Index) {
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

    /// Whether no test waits.
    pub(super) fn none_waits(&self) -> bool {
        self.again.is_empty() && self.heavy.is_empty() && self.slow.is_empty() && self.plain.is_empty()
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
            table.add(found);
        }
        assert_eq!(drained(&mut table, false), [12, 10, 11]);
        assert!(!table.none_waits());
        assert_eq!(drained(&mut table, true), [13]);
        table.put_back(1);
        table.put_back(3);
        assert_eq!(drained(&mut table, true), [13, 11]);
    }

    #[test]
    fn a_test_is_done_once() {
        let mut table = Table::default();
        table.add(entry(5, false, false));
        table.set_done(0);
        table.set_done(0);
        assert_eq!((table.len(), table.done()), (1, 1));
    }
}
