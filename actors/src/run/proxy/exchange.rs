//! Which peer gets a large blob from where: from this machine, or from a peer that has it. Without clock or actor.
//!
//! The first peer that asks for a blob gets it from here. The others wait until that one is ready, and fetch it there; each
//! that is ready serves others in turn, a few at a time. So a hundred peers do not all pull the same engine through this
//! machine's cable. A peer that cannot fetch it says so, and gets it from here. Who has waited too long
//! gets it from here as well.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Digest;

use crate::execution::executor::ExecutorId;

/// Blobs from this size on are fetched from peers, in bytes: a connection of its own costs some round trips.
pub const LARGE: u64 = 1 << 20;
/// Peers that one peer serves at a time.
const MOST_AT_ONE: usize = 3;

/// A peer, as others reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its key.
    pub key: Fingerprint,
    /// Its Work port.
    pub address: SocketAddr,
}

/// Where blobs are to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// From here.
    Own(Vec<Digest>),
    /// From another peer.
    Elsewhere(Vec<Digest>, Holder),
}

/// The state of all large blobs among the peers of a run.
#[derive(Debug, Default)]
pub struct Exchange {
    peers: BTreeMap<ExecutorId, ExchangePeer>,
}

#[derive(Debug)]
struct ExchangePeer {
    holder: Holder,
    /// It has all inputs of the run.
    complete: bool,
    /// What it has asked for, and where it stands.
    blobs: BTreeMap<Digest, Stand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Waits,
    /// Gets it from here.
    Own,
    /// Gets it from that peer.
    From(ExecutorId),
}

/// What is to be said to whom.
pub type Grants = Vec<(ExecutorId, Grant)>;

impl ExchangePeer {
    fn new(holder: Holder) -> Self {
        Self { holder, complete: false, blobs: BTreeMap::new() }
    }
}

impl Exchange {
    /// A peer asks for large blobs. One that asks a second time gets what it asks for from here.
    pub fn asks(&mut self, peer: ExecutorId, holder: Holder, digests: &[Digest]) -> Grants {
        let asker = self.peers.entry(peer).or_insert_with(|| ExchangePeer::new(holder));
        let mut again = Vec::new();
        for digest in digests {
            match asker.blobs.get_mut(digest) {
                Some(stand) => {
                    *stand = Stand::Own;
                    again.push(*digest);
                }
                None => drop(asker.blobs.insert(*digest, Stand::Waits)),
            }
        }
        let mut grants = self.settle();
        if !again.is_empty() {
            grants.push((peer, Grant::Own(again)));
        }
        grants
    }

    /// A peer has all inputs, whether it had to ask for them or not.
    pub fn ready(&mut self, peer: ExecutorId, holder: Holder) -> Grants {
        let peer = self.peers.entry(peer).or_insert_with(|| ExchangePeer::new(holder));
        peer.complete = true;
        peer.blobs.clear();
        self.settle()
    }

    /// A peer is not there any more. What others fetch from it they will ask for again.
    pub fn left(&mut self, peer: ExecutorId) -> Grants {
        self.peers.remove(&peer);
        self.settle()
    }

    /// A peer has waited long enough: it gets from here what it still waits for.
    pub fn impatient(&mut self, peer: ExecutorId) -> Option<Grant> {
        let peer = self.peers.get_mut(&peer)?;
        let waiting = peer.blobs.iter_mut().filter(|(_, stand)| **stand == Stand::Waits);
        let blobs: Vec<_> = waiting
            .map(|(digest, stand)| {
                *stand = Stand::Own;
                *digest
            })
            .collect();
        (!blobs.is_empty()).then_some(Grant::Own(blobs))
    }

    /// Gives those who wait what can be given now.
    fn settle(&mut self) -> Grants {
        let mut waiting = Vec::new();
        let mut underway = BTreeSet::new();
        for (number, peer) in &self.peers {
            for (digest, stand) in &peer.blobs {
                match stand {
                    Stand::Waits => waiting.push((*number, *digest)),
                    Stand::Own | Stand::From(_) => {
                        underway.insert(*digest);
                    }
                }
            }
        }
        let mut given: BTreeMap<(ExecutorId, Option<ExecutorId>), Vec<Digest>> = BTreeMap::new();
        for (number, digest) in waiting {
            let holder = self.least_busy(number);
            let from = holder.filter(|(served, _)| *served < MOST_AT_ONE).map(|(_, holder)| holder);
            let stand = match (holder, from) {
                (_, Some(holder)) => Stand::From(holder),
                // Nobody has it that could be reached, and nobody is getting it.
                (None, None) if underway.insert(digest) => Stand::Own,
                _ => continue,
            };
            if let Some(peer) = self.peers.get_mut(&number) {
                peer.blobs.insert(digest, stand);
            }
            given.entry((number, from)).or_default().push(digest);
        }
        let grant = |((number, from), digests): ((ExecutorId, Option<ExecutorId>), Vec<Digest>)| {
            let grant = match from.and_then(|from| self.peers.get(&from)) {
                Some(peer) => Grant::Elsewhere(digests, peer.holder),
                None => Grant::Own(digests),
            };
            (number, grant)
        };
        given.into_iter().map(grant).collect()
    }

    /// The peer that has all blobs, can be reached and serves the fewest others, with how many these are.
    fn least_busy(&self, asker: ExecutorId) -> Option<(usize, ExecutorId)> {
        let local = self.peers.get(&asker)?.holder.address.ip().is_loopback();
        let holds = self.peers.iter().filter(|(number, peer)| {
            // A loopback address is the asker's own machine, unless that is the same one.
            **number != asker && peer.complete && (local || !peer.holder.address.ip().is_loopback())
        });
        holds.map(|(number, _)| (self.served_by(*number), *number)).min()
    }

    /// How many peers fetch something from this one.
    fn served_by(&self, holder: ExecutorId) -> usize {
        self.peers.values().filter(|peer| peer.blobs.values().any(|s| *s == Stand::From(holder))).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holder(number: u32) -> Holder {
        Holder { key: Fingerprint([number as u8; 32]), address: ([10, 0, 0, number as u8], 9992).into() }
    }

    fn digest(number: u8) -> Digest {
        Digest([number; 32])
    }

    fn asks(exchange: &mut Exchange, number: u32, blob: u8) -> Grants {
        exchange.asks(ExecutorId(number), holder(number), &[digest(blob)])
    }

    fn own(number: u32) -> (ExecutorId, Grant) {
        (ExecutorId(number), Grant::Own(vec![digest(1)]))
    }

    fn from(number: u32, there: u32) -> (ExecutorId, Grant) {
        (ExecutorId(number), Grant::Elsewhere(vec![digest(1)], holder(there)))
    }

    #[test]
    fn the_first_gets_it_from_here_and_the_others_from_those_who_have_it() {
        let mut exchange = Exchange::default();
        assert_eq!(asks(&mut exchange, 1, 1), [own(1)]);
        for number in 2..=5 {
            assert_eq!(asks(&mut exchange, number, 1), []);
        }
        assert_eq!(
            exchange.ready(ExecutorId(1), holder(1)),
            [from(2, 1), from(3, 1), from(4, 1)],
            "three at a time"
        );
        assert_eq!(exchange.ready(ExecutorId(2), holder(2)), [from(5, 2)], "each that has it serves others");
        assert_eq!(asks(&mut exchange, 6, 1), [from(6, 2)], "the less busy one");
    }

    #[test]
    fn who_had_it_all_along_serves_others_as_well() {
        let mut exchange = Exchange::default();
        assert_eq!(exchange.ready(ExecutorId(1), holder(1)), []);
        assert_eq!(asks(&mut exchange, 2, 1), [from(2, 1)]);
        assert_eq!(exchange.left(ExecutorId(1)), []);
        assert_eq!(asks(&mut exchange, 3, 1), [], "the second may have it soon");
    }

    #[test]
    fn who_cannot_fetch_it_gets_it_from_here() {
        let mut exchange = Exchange::default();
        asks(&mut exchange, 1, 1);
        asks(&mut exchange, 2, 1);
        exchange.ready(ExecutorId(1), holder(1));
        assert_eq!(asks(&mut exchange, 2, 1), [own(2)]);
        assert_eq!(asks(&mut exchange, 2, 1), [own(2)], "as often as it asks, which is bounded elsewhere");
    }

    #[test]
    fn when_the_first_is_lost_the_next_takes_its_place() {
        let mut exchange = Exchange::default();
        asks(&mut exchange, 1, 1);
        asks(&mut exchange, 2, 1);
        asks(&mut exchange, 3, 1);
        assert_eq!(exchange.left(ExecutorId(1)), [own(2)]);
        assert_eq!(exchange.ready(ExecutorId(2), holder(2)), [from(3, 2)]);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut exchange = Exchange::default();
        asks(&mut exchange, 1, 1);
        asks(&mut exchange, 2, 1);
        assert_eq!(exchange.impatient(ExecutorId(2)), Some(own(2).1));
        assert_eq!(exchange.impatient(ExecutorId(2)), None);
        assert_eq!(exchange.impatient(ExecutorId(9)), None);
    }

    #[test]
    fn a_loopback_address_is_told_to_this_machine_alone() {
        let mut exchange = Exchange::default();
        let here = Holder { address: ([127, 0, 0, 1], 9992).into(), ..holder(1) };
        exchange.asks(ExecutorId(1), here, &[digest(1)]);
        exchange.ready(ExecutorId(1), here);
        assert_eq!(asks(&mut exchange, 2, 1), [own(2)]);
        let also_here = Holder { key: holder(3).key, ..here };
        let grants = exchange.asks(ExecutorId(3), also_here, &[digest(1)]);
        assert_eq!(grants, [(ExecutorId(3), Grant::Elsewhere(vec![digest(1)], here))]);
    }

    proptest! {
        #[test]
        fn whoever_asks_gets_it_in_the_end(
            steps in proptest::collection::vec((0..3_u8, 1..6_u32, 1..4_u8), 0..60),
        ) {
            let mut exchange = Exchange::default();
            let mut granted: BTreeMap<ExecutorId, BTreeSet<Digest>> = BTreeMap::new();
            let mut asked = granted.clone();
            let mut gone = BTreeSet::new();
            let note = |grants: Grants, granted: &mut BTreeMap<_, BTreeSet<_>>| {
                for (number, grant) in grants {
                    let (Grant::Own(blobs) | Grant::Elsewhere(blobs, _)) = grant;
                    granted.entry(number).or_default().extend(blobs);
                }
            };
            for (step, number, blob) in steps {
                let peer = ExecutorId(number);
                if gone.contains(&peer) {
                    continue;
                }
                match step {
                    0 => {
                        asked.entry(peer).or_default().insert(digest(blob));
                        note(asks(&mut exchange, number, blob), &mut granted);
                    }
                    // Ready only with all that was asked for.
                    1 if granted.get(&peer) == asked.get(&peer) => {
                        note(exchange.ready(peer, holder(number)), &mut granted);
                    }
                    1 => {}
                    _ => {
                        gone.insert(peer);
                        note(exchange.left(peer), &mut granted);
                    }
                }
                for holder in exchange.peers.keys() {
                    prop_assert!(exchange.served_by(*holder) <= MOST_AT_ONE);
                }
            }
            let numbers: Vec<_> = exchange.peers.keys().copied().collect();
            for number in numbers {
                let grants = exchange.impatient(number).map(|grant| (number, grant));
                note(grants.into_iter().collect(), &mut granted);
                prop_assert_eq!(granted.get(&number), asked.get(&number));
            }
        }
    }
}
