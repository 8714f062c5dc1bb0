//! The table of peers, bounded, with its indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::{Fingerprint, Presence};

use super::peer::{Contact, Peer};

/// This many intervals without a word, and a peer is gone.
const MISSED: u32 = 3;
/// How long a peer that is gone is remembered, so that its old datagrams are known as replays.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Addresses kept of one peer: a host with more is reached by one of these.
const MOST_ADDRESSES: usize = 4;

/// A peer with what only the core needs to know.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) presence: Presence,
    /// With the time each was last heard, the latest first.
    addresses: Vec<(SocketAddr, Duration)>,
    pub(super) last_heard: Duration,
    /// When it was last heard through the group.
    pub(super) by_group: Option<Duration>,
    pub(super) contact: Contact,
    /// A link has proven its key since it was first heard.
    pub(super) proven: bool,
    /// When it left or fell silent.
    pub(super) gone: Option<Duration>,
    /// When its last Reply was or will be sent.
    pub(super) replied: Option<Duration>,
    /// Dials that failed in a row.
    pub(super) dials: u32,
    /// Its place among those that wait for a dial.
    pub(super) ticket: u64,
}

impl Entry {
    pub(super) fn new(presence: Presence, now: Duration) -> Self {
        Self {
            presence,
            addresses: Vec::new(),
            last_heard: now,
            by_group: None,
            contact: Contact::None,
            proven: false,
            gone: None,
            replied: None,
            dials: 0,
            ticket: 0,
        }
    }

    /// Larger in every datagram the peer sends.
    pub(super) fn stamp(&self) -> (u64, u64) {
        (self.presence.boot, self.presence.sequence)
    }

    /// How long it may be silent.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.presence.interval.into()) * MISSED
    }

    /// Its newest datagram was heard from there; says whether the address is new. Those it was not heard from for
    /// too long are dropped.
    pub(super) fn heard_from(&mut self, address: SocketAddr, now: Duration) -> bool {
        let known = self.addresses.iter().any(|(known, _)| *known == address);
        let patience = self.patience();
        self.addresses.retain(|(known, heard)| *known != address && heard.saturating_add(patience) > now);
        self.addresses.insert(0, (address, now));
        self.addresses.truncate(MOST_ADDRESSES);
        !known
    }

    /// Its newest datagram came by another way too: a host with several addresses, or one that sends again what it
    /// heard. Such an address comes last and never drives out another; says whether it was taken.
    pub(super) fn heard_also_from(&mut self, address: SocketAddr, now: Duration) -> bool {
        if let Some((_, heard)) = self.addresses.iter_mut().find(|(known, _)| *known == address) {
            *heard = now;
            return false;
        }
        let room = self.addresses.len() < MOST_ADDRESSES;
        if room {
            self.addresses.push((address, now));
        }
        room
    }

    /// It runs anew, perhaps elsewhere.
    pub(super) fn forget_addresses(&mut self) {
        self.addresses.clear();
    }

    /// Whether it was only ever heard over IPv6, lately.
    pub(super) fn ipv6_only(&self) -> bool {
        !self.addresses.is_empty() && self.addresses.iter().all(|(address, _)| address.is_ipv6())
    }

    /// Whether the group does not carry its datagrams here.
    pub(super) fn missed_by_group(&self, now: Duration) -> bool {
        self.by_group.is_none_or(|heard| heard.saturating_add(self.patience()) <= now)
    }

    /// When something is to be done about it.
    fn due(&self) -> Option<Duration> {
        match (self.contact, self.gone) {
            // A link is a better sign of life than a datagram; a dial will end.
            (Contact::Linked, _) | (Contact::Dialling, Some(_)) => None,
            (_, Some(gone)) => Some(gone.saturating_add(REMEMBERED)),
            (Contact::Failed { retry, .. }, None) => Some(retry.min(self.expiry())),
            (_, None) => Some(self.expiry()),
        }
    }

    /// When it counts as gone if it stays silent.
    pub(super) fn expiry(&self) -> Duration {
        self.last_heard.saturating_add(self.patience())
    }

    /// Whether a newcomer may have its place.
    fn expendable(&self) -> bool {
        !self.proven && !matches!(self.contact, Contact::Linked | Contact::Dialling)
    }

    pub(super) fn peer(&self, fingerprint: Fingerprint) -> Peer {
        Peer {
            fingerprint,
            presence: self.presence,
            addresses: self.addresses.iter().map(|(address, _)| *address).collect(),
            last_heard: self.last_heard,
            contact: self.contact,
        }
    }
}

/// All peers, and the orders in which the core asks for them.
#[derive(Debug, Default)]
pub(super) struct PeerTable {
    entries: BTreeMap<Fingerprint, Entry>,
    due: BTreeSet<(Duration, Fingerprint)>,
    /// Unproven ones, by when they were last heard.
    expendable: BTreeSet<(Duration, Fingerprint)>,
    /// Waiting for a dial: proven ones first, then in the order they came.
    waiting: BTreeSet<(bool, u64, Fingerprint)>,
    dialling: usize,
    live: usize,
}

impl PeerTable {
    pub(super) fn get(&self, fingerprint: Fingerprint) -> Option<&Entry> {
        self.entries.get(&fingerprint)
    }

    /// All that are there, gone ones left out.
    pub(super) fn live(&self) -> impl Iterator<Item = (Fingerprint, &Entry)> {
        self.entries.iter().filter(|(_, entry)| entry.gone.is_none()).map(|(key, entry)| (*key, entry))
    }

    pub(super) fn count_live(&self) -> usize {
        self.live
    }

    pub(super) fn count_dialling(&self) -> usize {
        self.dialling
    }

    /// All that are remembered.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn insert(&mut self, fingerprint: Fingerprint, entry: Entry) {
        self.remove(fingerprint);
        self.index(fingerprint, &entry);
        self.entries.insert(fingerprint, entry);
    }

    pub(super) fn remove(&mut self, fingerprint: Fingerprint) -> Option<Entry> {
        let entry = self.entries.remove(&fingerprint)?;
        self.unindex(fingerprint, &entry);
        Some(entry)
    }

    /// Changes an entry, if it is there, and the indexes with it.
    pub(super) fn change<R>(
        &mut self,
        fingerprint: Fingerprint,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let mut entry = self.remove(fingerprint)?;
        let result = change(&mut entry);
        self.insert(fingerprint, entry);
        Some(result)
    }

    /// When the first entry is due.
    pub(super) fn first_due(&self) -> Option<(Duration, Fingerprint)> {
        self.due.first().copied()
    }

    /// The next to dial.
    pub(super) fn first_waiting(&self) -> Option<Fingerprint> {
        self.waiting.first().map(|(_, _, fingerprint)| *fingerprint)
    }

    /// The unproven one that was silent longest.
    pub(super) fn most_expendable(&self) -> Option<Fingerprint> {
        self.expendable.first().map(|(_, fingerprint)| *fingerprint)
    }

    fn index(&mut self, fingerprint: Fingerprint, entry: &Entry) {
        if let Some(due) = entry.due() {
            self.due.insert((due, fingerprint));
        }
        if entry.expendable() {
            self.expendable.insert((entry.last_heard, fingerprint));
        }
        if entry.contact == Contact::Waiting {
            self.waiting.insert((!entry.proven, entry.ticket, fingerprint));
        }
        self.dialling += usize::from(entry.contact == Contact::Dialling);
        self.live += usize::from(entry.gone.is_none());
    }

    fn unindex(&mut self, fingerprint: Fingerprint, entry: &Entry) {
        if let Some(due) = entry.due() {
            self.due.remove(&(due, fingerprint));
        }
        if entry.expendable() {
            self.expendable.remove(&(entry.last_heard, fingerprint));
        }
        if entry.contact == Contact::Waiting {
            self.waiting.remove(&(!entry.proven, entry.ticket, fingerprint));
        }
        self.dialling -= usize::from(entry.contact == Contact::Dialling);
        self.live -= usize::from(entry.gone.is_none());
    }
}
