//! Who gets in at a listener: quotas, and a record of who did not.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use flotilla_messages::Fingerprint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::core::Allowance;
use super::end::End;
use crate::kit::rate_limit::RateLimit;

/// How many refusals are remembered.
const REMEMBERED: usize = 32;

/// How many links a listener takes.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// The maximum number of connections without a Hello. Further ones wait in the system's queue.
    pub half_open: usize,
    /// Of these, from one IPv4 address or one IPv6 network of 64 bits.
    pub half_open_per_address: usize,
    /// The maximum number of links.
    pub links: usize,
    /// Links of one key.
    pub per_key: usize,
    /// The maximum number of links of keys that are not trusted; each key has at most one.
    pub strangers: usize,
}

impl Default for Quotas {
    /// 256 half-open connections, 64 of them from one address; 1024 links, 8 of them of one key, 32 of strangers.
    fn default() -> Self {
        Self { half_open: 256, half_open_per_address: 64, links: 1024, per_key: 8, strangers: 32 }
    }
}

/// A connection that did not become a link.
#[derive(Clone, Debug)]
pub struct RefusedConnection {
    /// When, by the system's clock.
    pub time: SystemTime,
    /// Where it came from.
    pub address: SocketAddr,
    /// Whose it was, if the handshake told.
    pub peer: Option<Fingerprint>,
    /// How its connection ended.
    pub end: End,
}

/// How many there are at a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Connections that have not said Hello.
    pub half_open: usize,
    /// Connections that have shown their key.
    pub keyed: usize,
    /// Connections that were refused since the listener began.
    pub refused: u64,
}

/// The gate of one listener.
pub struct Gate {
    quotas: Quotas,
    half_open: Arc<Semaphore>,
    inside: RefCell<GateCounts>,
}

#[derive(Default)]
struct GateCounts {
    addresses: BTreeMap<IpAddr, usize>,
    keys: BTreeMap<Fingerprint, usize>,
    keyed: usize,
    strangers: usize,
    refused: u64,
    refusals: VecDeque<RefusedConnection>,
    limit: RateLimit,
}

/// One connection's place, given back when it is dropped.
pub struct Slot {
    gate: Rc<Gate>,
    address: SocketAddr,
    half_open: RefCell<Option<OwnedSemaphorePermit>>,
    key: RefCell<Option<(Fingerprint, Allowance)>>,
}

impl Gate {
    /// A gate without anyone inside.
    pub fn new(quotas: Quotas) -> Rc<Self> {
        let half_open = Arc::new(Semaphore::new(quotas.half_open.min(Semaphore::MAX_PERMITS)));
        Rc::new(Self { quotas, half_open, inside: RefCell::default() })
    }

    /// Waits until there is room for one more half-open connection; only then is the next one to be accepted.
    pub async fn room(&self) -> Option<OwnedSemaphorePermit> {
        // None only if somebody closed the semaphore: nobody does.
        Arc::clone(&self.half_open).acquire_owned().await.ok()
    }

    /// Lets a connection in as far as its handshake.
    ///
    /// # Errors
    /// Too many from its address are there already.
    pub fn enter(self: &Rc<Self>, address: SocketAddr, permit: OwnedSemaphorePermit) -> Result<Slot, End> {
        let mut inside = self.inside.borrow_mut();
        let count = inside.addresses.entry(source(address)).or_default();
        if *count >= self.quotas.half_open_per_address {
            let reason = format!("{count} connections from this address have not said Hello yet");
            return Err(End::RefusedByUs { reason });
        }
        *count += 1;
        Ok(Slot {
            gate: Rc::clone(self),
            address,
            half_open: RefCell::new(Some(permit)),
            key: RefCell::new(None),
        })
    }

    /// Remembers a connection that did not become a link, and logs it unless there are too many of them.
    pub fn refused(&self, now: Instant, address: SocketAddr, peer: Option<Fingerprint>, end: End) {
        let mut inside = self.inside.borrow_mut();
        inside.refused += 1;
        if let Some(passed_over) = inside.limit.pass(now) {
            let key = peer.map(|peer| format!(" (key {peer})")).unwrap_or_default();
            if passed_over > 0 {
                log::warn!("{passed_over} more connections were refused");
            }
            log::warn!("connection from {address}{key}: {end}");
        }
        inside.refusals.push_back(RefusedConnection { time: SystemTime::now(), address, peer, end });
        if inside.refusals.len() > REMEMBERED {
            inside.refusals.pop_front();
        }
    }

    /// The last refusals, oldest first; at most 32.
    pub fn refusals(&self) -> Vec<RefusedConnection> {
        self.inside.borrow().refusals.iter().cloned().collect()
    }

    /// How many there are.
    pub fn occupancy(&self) -> Occupancy {
        let inside = self.inside.borrow();
        let half_open = inside.addresses.values().sum();
        Occupancy { half_open, keyed: inside.keyed, refused: inside.refused }
    }
}

impl Slot {
    /// The gate it belongs to.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The connection has shown its key.
    ///
    /// # Errors
    /// A quota is used up; the text is for the peer as well.
    pub fn keyed(&self, key: Fingerprint, allowance: Allowance) -> Result<(), String> {
        let Quotas { links, per_key, strangers, .. } = self.gate.quotas;
        let mut inside = self.gate.inside.borrow_mut();
        if inside.keyed >= links {
            return Err(format!("there are {links} links already"));
        }
        let of_key = inside.keys.get(&key).copied().unwrap_or(0);
        match allowance {
            Allowance::Full if of_key >= per_key => {
                return Err(format!("this key has {of_key} links already"));
            }
            Allowance::OneMessage if of_key > 0 => {
                return Err("this key is not trusted and has a link already".into());
            }
            Allowance::OneMessage if inside.strangers >= strangers => {
                return Err("this key is not trusted, and there are many like it".into());
            }
            _ => {}
        }
        inside.keyed += 1;
        inside.strangers += usize::from(allowance == Allowance::OneMessage);
        *inside.keys.entry(key).or_default() += 1;
        *self.key.borrow_mut() = Some((key, allowance));
        Ok(())
    }

    /// The connection has said Hello: it is half-open no more.
    pub fn greeted(&self) {
        if self.half_open.borrow_mut().take().is_some() {
            count_down(&mut self.gate.inside.borrow_mut().addresses, source(self.address));
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.greeted();
        if let Some((key, allowance)) = self.key.borrow_mut().take() {
            let mut inside = self.gate.inside.borrow_mut();
            inside.keyed -= 1;
            inside.strangers -= usize::from(allowance == Allowance::OneMessage);
            count_down(&mut inside.keys, key);
        }
    }
}

fn count_down<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

/// What counts as one address: an IPv6 user has 2^64 addresses.
fn source(address: SocketAddr) -> IpAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn permit(gate: &Gate) -> OwnedSemaphorePermit {
        Arc::clone(&gate.half_open).try_acquire_owned().unwrap()
    }

    #[test]
    fn one_address_does_not_take_all_half_open_places() {
        let gate = Gate::new(Quotas { half_open: 4, half_open_per_address: 2, ..Quotas::default() });
        let from = address("10.0.0.1:1");
        let first = gate.enter(from, permit(&gate)).ok().unwrap();
        let _second = gate.enter(address("10.0.0.1:2"), permit(&gate)).ok().unwrap();
        assert!(gate.enter(address("10.0.0.1:3"), permit(&gate)).is_err());
        assert!(
            gate.enter(address("[::ffff:10.0.0.1]:3"), permit(&gate)).is_err(),
            "the same one in IPv6's clothes"
        );
        assert!(gate.enter(address("10.0.0.2:1"), permit(&gate)).is_ok());
        first.greeted();
        assert!(gate.enter(from, permit(&gate)).is_ok());
        let v6 = [address("[fe80:1::1]:1"), address("[fe80:1::2]:1"), address("[fe80:2::2]:1")];
        assert_eq!(source(v6[0]), source(v6[1]));
        assert_ne!(source(v6[0]), source(v6[2]));
    }

    #[test]
    fn quotas_hold_per_key_and_for_strangers_and_in_all_and_places_come_back() {
        let gate = Gate::new(Quotas { links: 4, per_key: 2, strangers: 1, ..Quotas::default() });
        let slot = || gate.enter(address("10.0.0.1:1"), permit(&gate)).ok().unwrap();
        let (friend, stranger) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let (one, two, three, four) = (slot(), slot(), slot(), slot());
        assert_eq!(one.keyed(friend, Allowance::Full), Ok(()));
        assert_eq!(two.keyed(friend, Allowance::Full), Ok(()));
        assert!(three.keyed(friend, Allowance::Full).is_err());
        assert_eq!(three.keyed(stranger, Allowance::OneMessage), Ok(()));
        assert!(four.keyed(stranger, Allowance::OneMessage).is_err(), "one for each stranger");
        assert!(four.keyed(Fingerprint([3; 32]), Allowance::OneMessage).is_err(), "and few in all");
        assert_eq!(four.keyed(Fingerprint([4; 32]), Allowance::Full), Ok(()), "they crowd out nobody");
        assert!(slot().keyed(Fingerprint([5; 32]), Allowance::Full).is_err(), "all places are taken");
        drop(one);
        assert_eq!(slot().keyed(friend, Allowance::Full), Ok(()));
        drop((two, three, four));
        assert_eq!(gate.occupancy(), Occupancy::default());
        let inside = gate.inside.borrow();
        assert!(inside.keys.is_empty() && inside.addresses.is_empty() && inside.strangers == 0);
    }

    #[test]
    fn refusals_are_remembered_up_to_a_number() {
        let gate = Gate::new(Quotas::default());
        for port in 0..100 {
            gate.refused(Instant::now(), ([10, 0, 0, 1], port).into(), None, End::Crowded(1));
        }
        let refusals = gate.refusals();
        assert_eq!((refusals.len(), refusals[0].address.port(), refusals[31].address.port()), (32, 68, 99));
        assert_eq!(gate.occupancy().refused, 100);
    }
}
