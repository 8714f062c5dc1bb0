//! What was told of each peer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::LinkView;
use flotilla_messages::port::status::Load;
use flotilla_messages::wire::Hello;

use crate::net::membership::{Peer, Why};

/// The most peers remembered that are neither on the network nor linked.
const MOST_GONE: usize = 1024;

/// What is known of one peer but for trust.
#[derive(Clone, Debug, Default)]
pub struct PeerRecord {
    /// What it said last over UDP.
    pub peer: Option<Peer>,
    /// It is not on the network any more, and why.
    pub gone: Option<Why>,
    /// Where its link is or was, and what it said of itself there.
    pub hello: Option<(SocketAddr, Hello)>,
    /// Its links, as people are shown them.
    pub link: Option<LinkView>,
    /// How busy it said it is.
    pub load: Option<Load>,
    /// What runners said of its speed, in thousandths of this machine's.
    pub performance: Option<u32>,
    /// When anything of it changed last.
    changed: Option<Instant>,
}

impl PeerRecord {
    /// Whether it is there, as far as a link or discovery tells.
    pub fn is_present(&self) -> bool {
        self.is_linked() || (self.peer.is_some() && self.gone.is_none())
    }

    /// Whether there is a link over which work could be agreed.
    pub fn is_linked(&self) -> bool {
        matches!(self.link, Some(LinkView::Up { .. }))
    }
}

/// All peers of which anything was told.
#[derive(Debug, Default)]
pub struct RegistryTable {
    seen: BTreeMap<Fingerprint, PeerRecord>,
}

impl RegistryTable {
    /// In the order of their fingerprints.
    pub fn iter(&self) -> impl Iterator<Item = (&Fingerprint, &PeerRecord)> {
        self.seen.iter()
    }

    /// One of them.
    pub fn get(&self, key: &Fingerprint) -> Option<&PeerRecord> {
        self.seen.get(key)
    }

    /// Changes what is known of one. Discovery bounds how many are there, trust how many are linked; of all others
    /// only those heard of last stay.
    pub fn change(&mut self, now: Instant, key: Fingerprint, change: impl FnOnce(&mut PeerRecord)) {
        let seen = self.seen.entry(key).or_default();
        change(seen);
        seen.changed = Some(now);
        let absent = |seen: &PeerRecord| !seen.is_present();
        if self.seen.values().filter(|seen| absent(seen)).count() > MOST_GONE {
            let oldest =
                self.seen.iter().filter(|(_, seen)| absent(seen)).min_by_key(|(_, seen)| seen.changed);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                self.seen.remove(&oldest);
            }
        }
    }

    /// Discovery lists all that are there: those it does not name are not.
    pub fn replace_present(&mut self, now: Instant, peers: Vec<Peer>) {
        for seen in self.seen.values_mut() {
            if seen.peer.is_some() && seen.gone.is_none() {
                seen.gone = Some(Why::Silent);
            }
        }
        for peer in peers {
            self.change(now, peer.fingerprint, |seen| {
                seen.gone = None;
                seen.peer = Some(peer);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u16) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Fingerprint(bytes)
    }

    #[test]
    fn of_peers_that_are_gone_the_latest_are_remembered_and_those_linked_always() {
        let mut table = RegistryTable::default();
        let start = Instant::now();
        table.change(start, key(0), |seen| seen.link = Some(LinkView::Up { suspected: false }));
        for number in 1..3000 {
            let now = start + std::time::Duration::from_millis(number.into());
            table.change(now, key(number), |seen| seen.performance = Some(1000));
        }
        assert_eq!(table.iter().count(), MOST_GONE + 1);
        assert!(table.get(&key(0)).is_some() && table.get(&key(2999)).is_some());
        assert!(table.get(&key(1)).is_none());
    }
}
