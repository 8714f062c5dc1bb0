//! What is in a store, what is pinned, and what has to go. No file, no clock.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_messages::inputs::Digest;

/// What file systems give out at a time, at least. A store of small files takes far more room than they have bytes.
const BLOCK: u64 = 4096;

/// Keeps some blobs from being evicted, present or not, until it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PinId(u64);

/// There is no room, even if all that is not pinned were evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pinned(pub u64);

/// The accounts. Times are in nanoseconds since the epoch, as mtimes are.
#[derive(Debug)]
pub(super) struct Ledger {
    limit: u64,
    held: BTreeMap<Digest, Held>,
    /// All that is held and not pinned, the longest unused first.
    evictable: BTreeSet<(i64, Digest)>,
    /// How many pins each digest has, held or not.
    pinned: BTreeMap<Digest, u32>,
    pins: BTreeMap<PinId, Vec<Digest>>,
    next_pin: u64,
    /// Room taken by what is held.
    taken: u64,
    /// Room promised to what is coming.
    promised: u64,
    /// Room of what is in `evictable`.
    evictable_room: u64,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    size: u64,
    used: i64,
    /// Whether its bytes were found to be those of its digest since the start.
    verified: bool,
    /// Whether its file says another time of use.
    touched: bool,
}

impl Ledger {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            held: BTreeMap::new(),
            evictable: BTreeSet::new(),
            pinned: BTreeMap::new(),
            pins: BTreeMap::new(),
            next_pin: 0,
            taken: 0,
            promised: 0,
            evictable_room: 0,
        }
    }

    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Room taken and promised.
    pub fn used(&self) -> u64 {
        self.taken.saturating_add(self.promised)
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Enters a blob that is there; one that is entered already stays as it is.
    pub fn insert(&mut self, digest: Digest, size: u64, used: i64, verified: bool) {
        if self.held.contains_key(&digest) {
            return;
        }
        self.held.insert(digest, Held { size, used, verified, touched: false });
        self.taken += room(size);
        if !self.pinned.contains_key(&digest) {
            self.evictable.insert((used, digest));
            self.evictable_room += room(size);
        }
    }

    /// Strikes out a blob that is gone.
    pub fn remove(&mut self, digest: &Digest) {
        let Some(held) = self.held.remove(digest) else { return };
        self.taken -= room(held.size);
        if self.evictable.remove(&(held.used, *digest)) {
            self.evictable_room -= room(held.size);
        }
    }

    /// The size of a blob that is held.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        self.held.get(digest).map(|held| held.size)
    }

    /// Whether a blob was verified since the start.
    pub fn is_verified(&self, digest: &Digest) -> bool {
        self.held.get(digest).is_some_and(|held| held.verified)
    }

    /// That a blob was verified.
    pub fn verified(&mut self, digest: &Digest) {
        if let Some(held) = self.held.get_mut(digest) {
            held.verified = true;
        }
    }

    /// That a blob is used now. Whether it is held.
    pub fn touch(&mut self, digest: &Digest, now: i64) -> bool {
        let Some(held) = self.held.get_mut(digest) else { return false };
        if now > held.used {
            if self.evictable.remove(&(held.used, *digest)) {
                self.evictable.insert((now, *digest));
            }
            held.used = now;
            held.touched = true;
        }
        true
    }

    /// What was used since it was last asked, with the times.
    pub fn take_touched(&mut self) -> Vec<(Digest, i64)> {
        let touched = self.held.iter_mut().filter(|(_, held)| held.touched);
        touched
            .map(|(digest, held)| {
                held.touched = false;
                (*digest, held.used)
            })
            .collect()
    }

    /// Promises room for a blob. What has to be evicted for it has been struck out: the longest unused, and no more than
    /// needed.
    pub fn promise(&mut self, size: u64) -> Result<Vec<Digest>, Pinned> {
        let wanted = self.used().saturating_add(room(size));
        let excess = wanted.saturating_sub(self.limit);
        if excess > self.evictable_room {
            return Err(Pinned(self.used() - self.evictable_room));
        }
        self.promised += room(size);
        Ok(self.shed())
    }

    /// Takes a promise back, when the blob has come or will not.
    pub fn release(&mut self, size: u64) {
        self.promised -= room(size);
    }

    /// Strikes out what is above the limit, as far as nothing pins it.
    pub fn shed(&mut self) -> Vec<Digest> {
        let mut evicted = Vec::new();
        while self.used() > self.limit {
            let Some((_, digest)) = self.evictable.first().copied() else { break };
            self.remove(&digest);
            evicted.push(digest);
        }
        evicted
    }

    /// Keeps these from being evicted, those that come later included.
    pub fn pin(&mut self, digests: impl IntoIterator<Item = Digest>) -> PinId {
        let id = PinId(self.next_pin);
        self.next_pin += 1;
        let digests: Vec<_> = digests.into_iter().collect();
        for digest in &digests {
            *self.pinned.entry(*digest).or_default() += 1;
            if let Some(held) = self.held.get(digest)
                && self.evictable.remove(&(held.used, *digest))
            {
                self.evictable_room -= room(held.size);
            }
        }
        self.pins.insert(id, digests);
        id
    }

    /// Takes a pin away; a second time does nothing.
    pub fn unpin(&mut self, id: PinId) {
        for digest in self.pins.remove(&id).unwrap_or_default() {
            let Some(count) = self.pinned.get_mut(&digest) else { continue };
            *count -= 1;
            if *count > 0 {
                continue;
            }
            self.pinned.remove(&digest);
            if let Some(held) = self.held.get(&digest) {
                self.evictable.insert((held.used, digest));
                self.evictable_room += room(held.size);
            }
        }
    }
}

/// What a blob takes on disk.
fn room(size: u64) -> u64 {
    size.max(1).checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(number: u8) -> Digest {
        Digest([number; 32])
    }

    /// A ledger with room for so many small blobs.
    fn ledger(blobs: u64) -> Ledger {
        Ledger::new(blobs * BLOCK)
    }

    fn add(ledger: &mut Ledger, number: u8, now: i64) -> Vec<Digest> {
        let evicted = ledger.promise(1).unwrap();
        ledger.release(1);
        ledger.insert(digest(number), 1, now, true);
        evicted
    }

    #[test]
    fn the_longest_unused_goes_first_and_no_more_than_needed() {
        let mut ledger = ledger(3);
        (1..=3).for_each(|number| assert_eq!(add(&mut ledger, number, number.into()), []));
        assert!(ledger.touch(&digest(1), 9));
        assert_eq!(add(&mut ledger, 4, 10), [digest(2)]);
        assert_eq!(ledger.promise(BLOCK + 1), Ok(vec![digest(3), digest(1)]));
    }

    #[test]
    fn a_pinned_blob_stays() {
        let mut ledger = ledger(2);
        add(&mut ledger, 1, 1);
        let (pin, again) = (ledger.pin([digest(1), digest(2)]), ledger.pin([digest(1)]));
        add(&mut ledger, 2, 2);
        assert_eq!(ledger.promise(1), Err(Pinned(2 * BLOCK)), "the second came after it was pinned");
        ledger.unpin(pin);
        ledger.unpin(pin);
        assert_eq!(ledger.promise(1), Ok(vec![digest(2)]), "the first is pinned by another still");
        assert_eq!(ledger.promise(1), Err(Pinned(2 * BLOCK)));
        ledger.unpin(again);
        assert_eq!(ledger.promise(1), Ok(vec![digest(1)]));
    }

    #[test]
    fn what_cannot_be_promised_evicts_nothing() {
        let mut ledger = ledger(2);
        add(&mut ledger, 1, 1);
        assert_eq!(ledger.promise(u64::MAX), Err(Pinned(0)));
        assert_eq!(ledger.promise(3 * BLOCK), Err(Pinned(0)));
        assert_eq!(ledger.len(), 1);
    }

    #[test]
    fn only_what_was_used_is_written_back_and_once() {
        let mut ledger = ledger(2);
        add(&mut ledger, 1, 1);
        add(&mut ledger, 2, 2);
        ledger.touch(&digest(2), 5);
        assert_eq!(ledger.take_touched(), [(digest(2), 5)]);
        assert_eq!(ledger.take_touched(), []);
        assert!(!ledger.touch(&digest(3), 5));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Promise(u64),
        Arrive(u8),
        Touch(u8),
        Pin(Vec<u8>),
        Unpin(usize),
        Remove(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..5 * BLOCK).prop_map(Step::Promise),
            (0..12_u8).prop_map(Step::Arrive),
            (0..12_u8).prop_map(Step::Touch),
            proptest::collection::vec(0..12_u8, 0..4).prop_map(Step::Pin),
            (0..8_usize).prop_map(Step::Unpin),
            (0..12_u8).prop_map(Step::Remove),
        ]
    }

    proptest! {
        #[test]
        fn the_accounts_always_add_up(steps in proptest::collection::vec(step(), 0..80)) {
            let mut ledger = ledger(8);
            let mut promised = Vec::new();
            let mut pins: Vec<(PinId, Vec<u8>)> = Vec::new();
            for (now, step) in steps.into_iter().enumerate() {
                let now = now as i64;
                let before = ledger.held.clone();
                match step {
                    Step::Promise(size) => {
                        if let Ok(evicted) = ledger.promise(size) {
                            promised.push(size);
                            prop_assert!(ledger.used() <= 8 * BLOCK);
                            for digest in &evicted {
                                let is_pinned = pins.iter().any(|(_, list)| list.contains(&digest.0[0]));
                                prop_assert!(!is_pinned);
                                // Whatever stays and could go was used later.
                                let used = before[digest].used;
                                prop_assert!(ledger.evictable.iter().all(|(other, _)| *other >= used));
                            }
                        }
                    }
                    Step::Arrive(number) => if let Some(size) = promised.pop() {
                        ledger.release(size);
                        ledger.insert(digest(number), size, now, false);
                    },
                    Step::Touch(number) => prop_assert_eq!(ledger.touch(&digest(number), now), before.contains_key(&digest(number))),
                    Step::Pin(list) => pins.push((ledger.pin(list.iter().copied().map(digest)), list)),
                    Step::Unpin(at) => if at < pins.len() { ledger.unpin(pins.remove(at).0) },
                    Step::Remove(number) => ledger.remove(&digest(number)),
                }
                let taken: u64 = ledger.held.values().map(|held| room(held.size)).sum();
                prop_assert_eq!(ledger.taken, taken);
                prop_assert_eq!(ledger.promised, promised.iter().map(|size| room(*size)).sum::<u64>());
                let evictable: BTreeSet<_> = ledger.held.iter()
                    .filter(|(digest, _)| !pins.iter().any(|(_, list)| list.contains(&digest.0[0])))
                    .map(|(digest, held)| (held.used, *digest)).collect();
                prop_assert_eq!(&ledger.evictable, &evictable);
                let evictable_room: u64 = evictable.iter().map(|(_, digest)| room(ledger.held[digest].size)).sum();
                prop_assert_eq!(ledger.evictable_room, evictable_room);
            }
        }
    }
}
