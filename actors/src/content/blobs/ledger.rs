//! What is in a store, what is pinned, and what has to go. No file, no clock.
//!
//! What lies in one file goes with it: a [`Unit`] is one large blob, or a pack of small ones, which stays as long as any of
//! them is pinned or was used lately.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_messages::inputs::Digest;

/// What file systems give out at a time, at least. A store of small files takes far more room than they have bytes.
const BLOCK: u64 = 4096;

/// Keeps some blobs from being evicted, present or not, until it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PinId(u64);

/// What is kept in a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// One blob, by its digest.
    Blob(Digest),
    /// A pack of blobs, by the digest of its compressed bytes.
    Pack(Digest),
}

/// There is no room, even if all that is not pinned were evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pinned(pub u64);

/// The accounts. Times are in nanoseconds since the epoch, as mtimes are.
#[derive(Debug)]
pub(super) struct BlobLedger {
    limit: u64,
    held: BTreeMap<Unit, HeldBlob>,
    /// In which unit each blob is.
    homes: BTreeMap<Digest, BlobPlace>,
    /// All that is held and not pinned, the longest unused first.
    evictable: BTreeSet<(i64, Unit)>,
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

#[derive(Clone, Debug)]
struct HeldBlob {
    /// Of its file.
    size: u64,
    used: i64,
    /// Whether its bytes were found to be those of its digest since the start.
    verified: bool,
    /// Whether its file says another time of use.
    touched: bool,
    /// The blobs that are at home in it.
    blobs: Box<[Digest]>,
    /// How many of them are pinned.
    pinned: u32,
}

/// Where a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlobPlace {
    pub unit: Unit,
    /// The blob's bytes.
    pub size: u64,
}

impl BlobLedger {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            held: BTreeMap::new(),
            homes: BTreeMap::new(),
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

    /// How many blobs there are.
    pub fn len(&self) -> usize {
        self.homes.len()
    }

    /// Enters a unit that is there, its file so many bytes large, with its blobs and their sizes; one that is entered
    /// already stays as it is, and a blob stays where it was first. Whether any of the blobs is new: if not, the unit is
    /// not entered, and its file is of no use.
    pub fn insert(
        &mut self,
        unit: Unit,
        size: u64,
        blobs: impl IntoIterator<Item = (Digest, u64)>,
        used: i64,
        verified: bool,
    ) -> bool {
        if self.held.contains_key(&unit) {
            return true;
        }
        let mut new = Vec::new();
        for (digest, size) in blobs {
            self.homes.entry(digest).or_insert_with(|| {
                new.push(digest);
                BlobPlace { unit, size }
            });
        }
        if new.is_empty() {
            return false;
        }
        let pinned = new.iter().filter(|digest| self.pinned.contains_key(digest)).count();
        // A pack holds far fewer.
        let pinned = u32::try_from(pinned).unwrap_or(u32::MAX);
        self.held.insert(unit, HeldBlob { size, used, verified, touched: false, blobs: new.into(), pinned });
        self.taken += room(size);
        if pinned == 0 {
            self.evictable.insert((used, unit));
            self.evictable_room += room(size);
        }
        true
    }

    /// Strikes out a unit that is gone, with all blobs in it.
    pub fn remove(&mut self, unit: Unit) {
        let Some(held) = self.held.remove(&unit) else { return };
        for digest in &held.blobs {
            self.homes.remove(digest);
        }
        self.taken -= room(held.size);
        if self.evictable.remove(&(held.used, unit)) {
            self.evictable_room -= room(held.size);
        }
    }

    /// Where a blob is that is held.
    pub fn home(&self, digest: &Digest) -> Option<BlobPlace> {
        self.homes.get(digest).copied()
    }

    /// Whether a unit was verified since the start.
    pub fn is_verified(&self, unit: Unit) -> bool {
        self.held.get(&unit).is_some_and(|held| held.verified)
    }

    /// That a unit was verified.
    pub fn verified(&mut self, unit: Unit) {
        if let Some(held) = self.held.get_mut(&unit) {
            held.verified = true;
        }
    }

    /// That a blob is used now. Whether it is held.
    pub fn touch(&mut self, digest: &Digest, now: i64) -> bool {
        let Some(BlobPlace { unit, .. }) = self.home(digest) else { return false };
        if let Some(held) = self.held.get_mut(&unit)
            && now > held.used
        {
            if self.evictable.remove(&(held.used, unit)) {
                self.evictable.insert((now, unit));
            }
            held.used = now;
            held.touched = true;
        }
        true
    }

    /// What was used since it was last asked, with the times.
    pub fn take_touched(&mut self) -> Vec<(Unit, i64)> {
        let touched = self.held.iter_mut().filter(|(_, held)| held.touched);
        touched
            .map(|(unit, held)| {
                held.touched = false;
                (*unit, held.used)
            })
            .collect()
    }

    /// Promises room for a file. What has to be evicted for it has been struck out: the longest unused, and no more than
    /// needed.
    pub fn promise(&mut self, size: u64) -> Result<Vec<Unit>, Pinned> {
        let wanted = self.used().saturating_add(room(size));
        let excess = wanted.saturating_sub(self.limit);
        if excess > self.evictable_room {
            return Err(Pinned(self.used() - self.evictable_room));
        }
        self.promised += room(size);
        Ok(self.shed())
    }

    /// Takes a promise back, when the file is there or will not be.
    pub fn release(&mut self, size: u64) {
        self.promised -= room(size);
    }

    /// Strikes out what is above the limit, as far as nothing pins it.
    pub fn shed(&mut self) -> Vec<Unit> {
        let mut evicted = Vec::new();
        while self.used() > self.limit {
            let Some((_, unit)) = self.evictable.first().copied() else { break };
            self.remove(unit);
            evicted.push(unit);
        }
        evicted
    }

    /// Keeps these from being evicted, those that come later included.
    pub fn pin(&mut self, digests: impl IntoIterator<Item = Digest>) -> PinId {
        let id = PinId(self.next_pin);
        self.next_pin += 1;
        let digests: Vec<_> = digests.into_iter().collect();
        for digest in &digests {
            let count = self.pinned.entry(*digest).or_default();
            *count += 1;
            if *count > 1 {
                continue;
            }
            let Some(BlobPlace { unit, .. }) = self.homes.get(digest).copied() else { continue };
            let Some(held) = self.held.get_mut(&unit) else { continue };
            held.pinned += 1;
            if self.evictable.remove(&(held.used, unit)) {
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
            let Some(BlobPlace { unit, .. }) = self.homes.get(&digest).copied() else { continue };
            let Some(held) = self.held.get_mut(&unit) else { continue };
            held.pinned -= 1;
            if held.pinned == 0 {
                self.evictable.insert((held.used, unit));
                self.evictable_room += room(held.size);
            }
        }
    }
}

/// What a file takes on disk.
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

    fn blob(number: u8) -> Unit {
        Unit::Blob(digest(number))
    }

    /// A ledger with room for this many small blobs.
    fn ledger(blobs: u64) -> BlobLedger {
        BlobLedger::new(blobs * BLOCK)
    }

    fn add(ledger: &mut BlobLedger, number: u8, now: i64) -> Vec<Unit> {
        let evicted = ledger.promise(1).unwrap();
        ledger.release(1);
        ledger.insert(blob(number), 1, [(digest(number), 1)], now, true);
        evicted
    }

    #[test]
    fn the_longest_unused_goes_first_and_no_more_than_needed() {
        let mut ledger = ledger(3);
        (1..=3).for_each(|number| assert_eq!(add(&mut ledger, number, number.into()), []));
        assert!(ledger.touch(&digest(1), 9));
        assert_eq!(add(&mut ledger, 4, 10), [blob(2)]);
        assert_eq!(ledger.promise(BLOCK + 1), Ok(vec![blob(3), blob(1)]));
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
        assert_eq!(ledger.promise(1), Ok(vec![blob(2)]), "the first is pinned by another still");
        assert_eq!(ledger.promise(1), Err(Pinned(2 * BLOCK)));
        ledger.unpin(again);
        assert_eq!(ledger.promise(1), Ok(vec![blob(1)]));
    }

    #[test]
    fn a_pack_stays_while_any_blob_in_it_is_pinned_and_goes_with_all_of_them() {
        let mut ledger = ledger(2);
        let pack = Unit::Pack(digest(99));
        let pin = ledger.pin([digest(3)]);
        assert!(ledger.insert(pack, BLOCK, (1..=3).map(|number| (digest(number), 7)), 1, true));
        assert!(!ledger.insert(Unit::Pack(digest(98)), 1, [(digest(2), 7)], 9, true), "nothing new in it");
        assert_eq!((ledger.len(), ledger.used()), (3, BLOCK));
        assert_eq!(ledger.home(&digest(2)), Some(BlobPlace { unit: pack, size: 7 }));
        assert_eq!(ledger.promise(2 * BLOCK), Err(Pinned(BLOCK)));
        ledger.unpin(pin);
        assert_eq!(ledger.promise(2 * BLOCK), Ok(vec![pack]));
        assert!((1..=3).all(|number| !ledger.touch(&digest(number), 9)));
        assert_eq!(ledger.len(), 0);
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
        assert_eq!(ledger.take_touched(), [(blob(2), 5)]);
        assert_eq!(ledger.take_touched(), []);
        assert!(!ledger.touch(&digest(3), 5));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Promise(u64),
        /// A unit of that number, with these blobs.
        Arrive(u8, Vec<u8>),
        Touch(u8),
        Pin(Vec<u8>),
        Unpin(usize),
        Remove(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let blobs = || proptest::collection::vec(0..12_u8, 0..4);
        prop_oneof![
            (0..5 * BLOCK).prop_map(Step::Promise),
            (0..8_u8, blobs()).prop_map(|(unit, blobs)| Step::Arrive(unit, blobs)),
            (0..12_u8).prop_map(Step::Touch),
            blobs().prop_map(Step::Pin),
            (0..8_usize).prop_map(Step::Unpin),
            (0..8_u8).prop_map(Step::Remove),
        ]
    }

    fn unit(number: u8) -> Unit {
        if number.is_multiple_of(2) { Unit::Pack(digest(number)) } else { blob(number) }
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
                let is_pinned = |held: &HeldBlob| held.blobs.iter().any(|digest| {
                    pins.iter().any(|(_, list)| list.contains(&digest.0[0]))
                });
                match step {
                    Step::Promise(size) => {
                        if let Ok(evicted) = ledger.promise(size) {
                            promised.push(size);
                            prop_assert!(ledger.used() <= 8 * BLOCK);
                            for unit in &evicted {
                                prop_assert!(!is_pinned(&before[unit]));
                                // Whatever stays and could go was used later.
                                let used = before[unit].used;
                                prop_assert!(ledger.evictable.iter().all(|(other, _)| *other >= used));
                            }
                        }
                    }
                    Step::Arrive(number, blobs) => if let Some(size) = promised.pop() {
                        ledger.release(size);
                        let homes = ledger.homes.clone();
                        let new = ledger.insert(unit(number), size, blobs.iter().map(|blob| (digest(*blob), 1)), now, false);
                        let any = blobs.iter().any(|blob| !homes.contains_key(&digest(*blob)));
                        prop_assert_eq!(new, before.contains_key(&unit(number)) || any);
                    },
                    Step::Touch(number) => {
                        let here = ledger.homes.contains_key(&digest(number));
                        prop_assert_eq!(ledger.touch(&digest(number), now), here);
                    }
                    Step::Pin(list) => pins.push((ledger.pin(list.iter().copied().map(digest)), list)),
                    Step::Unpin(at) => if at < pins.len() { ledger.unpin(pins.remove(at).0) },
                    Step::Remove(number) => ledger.remove(unit(number)),
                }
                let is_pinned = |held: &HeldBlob| held.blobs.iter().any(|digest| {
                    pins.iter().any(|(_, list)| list.contains(&digest.0[0]))
                });
                let taken: u64 = ledger.held.values().map(|held| room(held.size)).sum();
                prop_assert_eq!(ledger.taken, taken);
                prop_assert_eq!(ledger.promised, promised.iter().map(|size| room(*size)).sum::<u64>());
                let evictable: BTreeSet<_> = ledger.held.iter()
                    .filter(|(_, held)| !is_pinned(held))
                    .map(|(unit, held)| (held.used, *unit)).collect();
                prop_assert_eq!(&ledger.evictable, &evictable);
                let evictable_room: u64 = evictable.iter().map(|(_, unit)| room(ledger.held[unit].size)).sum();
                prop_assert_eq!(ledger.evictable_room, evictable_room);
                let homes: BTreeMap<_, _> = ledger.held.iter()
                    .flat_map(|(unit, held)| held.blobs.iter().map(|digest| (*digest, *unit))).collect();
                prop_assert!(ledger.homes.iter().map(|(digest, home)| (*digest, home.unit)).eq(homes));
            }
        }
    }
}
