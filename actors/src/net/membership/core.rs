//! Membership's decisions. Equal inputs and an equal seed give equal effects.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::datagram::INTERVAL_LIMITS;
use flotilla_messages::{Datagram, DatagramKind, Fingerprint, Presence};

use super::peer::{Contact, Peer, host, with_port};
use super::table::{Entry, PeerTable};

/// With more peers than this, no peer replies: together they announce often enough, and all replies would be a storm.
const MOST_TO_REPLY: usize = 20;
/// Replies that may wait; more requests than that are an attack or a storm.
const MOST_REPLIES: usize = 64;
/// Not more than one Reply to a key in this time.
const REPLY_PAUSE: Duration = Duration::from_secs(4);
/// A Reply to an announcement to all is delayed by up to this, so that those of many peers do not collide.
const REPLY_DELAY: Duration = Duration::from_secs(1);
/// A Reply to an announcement to this host alone: nobody else sends one.
const DIRECT_REPLY_DELAY: Duration = Duration::from_millis(100);
/// The first announcement comes within this time.
const FIRST_ANNOUNCE: Duration = Duration::from_millis(200);
/// Announcements that say something new come no faster than this.
const ANNOUNCE_PAUSE: Duration = Duration::from_secs(1);
/// Dials under way at a time: a flood of identities must not become a flood of connections.
const MOST_DIALS: usize = 16;
/// The wait after a first failed dial; it doubles with each.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The wait is never longer.
const LONGEST_RETRY: Duration = Duration::from_secs(300);
/// The wait after a lost link.
const RELINK: Duration = Duration::from_secs(1);

/// What the core is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This host's own key, whose datagrams are echoes.
    pub own: Fingerprint,
    /// Peers that are also told by unicast, for networks without multicast and broadcast.
    pub static_peers: Vec<SocketAddr>,
    /// Peers remembered at most, gone ones among them; at least 1.
    pub capacity: usize,
}

/// By what way a datagram came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the multicast group.
    Group,
    /// By broadcast.
    Broadcast,
    /// To this host alone.
    Direct,
}

/// What happens to the core.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram whose signature is good.
    Heard {
        /// What it says.
        datagram: Datagram,
        /// Its sender's address, which nothing vouches for.
        from: SocketAddr,
        /// How it came.
        way: Way,
    },
    /// A link to this key is up, no matter who dialled.
    Linked(Fingerprint),
    /// A dial did not lead to a link. Every [`Effect::Dial`] is answered by this or [`Input::Linked`].
    DialFailed {
        /// Whose dial.
        fingerprint: Fingerprint,
        /// It is of no use to try again soon: another key answered, or one that speaks another protocol.
        hopeless: bool,
    },
    /// The link to this key is no more.
    LinkLost(Fingerprint),
    /// A link to this key is wanted now, whatever became of the last dial: it is trusted from now on.
    Wanted(Fingerprint),
    /// What this host says of itself has changed.
    OwnChanged,
    /// Nothing but time has passed; see [`Core::wakes_at`].
    Tick,
    /// This host leaves.
    Stop,
}

/// Where a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To all, on every interface.
    Everyone {
        /// Somebody is heard over IPv6 alone, so interfaces with IPv4 are to use IPv6 too.
        ipv6_too: bool,
        /// Somebody is not heard through the group, so broadcast too.
        broadcast_too: bool,
    },
    /// To one socket.
    One(SocketAddr),
}

/// Why a peer is no longer counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It said Goodbye.
    Goodbye,
    /// Three of its announcements did not come.
    Silent,
    /// The table was full of identities that nothing has proven, and it was the one silent longest.
    Crowded,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Sign a datagram of this kind that promises this interval, and send it.
    Send {
        /// The group, or the peer, that gets it.
        to: Destination,
        /// What for.
        kind: DatagramKind,
        /// Seconds to the next announcement at most.
        interval: u16,
    },
    /// Open a link to this peer, if there is none, and see whether it has the key.
    Dial(Peer),
    /// A peer appeared, or something about it other than its sequence changed.
    Updated(Peer),
    /// A peer is no longer there.
    Gone {
        /// Whose key.
        fingerprint: Fingerprint,
        /// Why it is not listed any more.
        why: Why,
    },
}

/// Datagrams with a good signature that changed nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// This host's own.
    pub own: u64,
    /// Older than the newest of their key, or said again after it left.
    pub replayed: u64,
    /// The newest once more, by another way.
    pub duplicate: u64,
    /// The table was full, and of peers that are proven.
    pub refused: u64,
}

/// Membership without sockets and clock.
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    random: fastrand::Rng,
    table: PeerTable,
    /// `None` once this host has left.
    next_announce: Option<Duration>,
    last_announce: Option<Duration>,
    /// What was promised last.
    interval: u16,
    /// When, to whom, where, and whether it was asked for by this host alone being told.
    replies: BTreeMap<(Duration, Fingerprint), (SocketAddr, bool)>,
    last_ticket: u64,
    counters: Counters,
}

impl Core {
    /// Nobody is known; the first announcement comes within 0.2 s.
    pub fn new(settings: Settings, now: Duration, mut random: fastrand::Rng) -> Self {
        let next_announce = Some(now + part(FIRST_ANNOUNCE, &mut random));
        Self {
            settings,
            random,
            table: PeerTable::default(),
            next_announce,
            last_announce: None,
            interval: INTERVAL_LIMITS.0,
            replies: BTreeMap::new(),
            last_ticket: 0,
            counters: Counters::default(),
        }
    }

    /// Takes one input in at time `now`, which never goes back; what follows is appended to `effects`.
    pub fn handle(&mut self, now: Duration, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Heard { datagram, from, way } => self.heard(now, &datagram, from, way, effects),
            Input::Linked(fingerprint) => {
                self.table.change(fingerprint, |entry| {
                    entry.contact = Contact::Linked;
                    entry.proven = true;
                    entry.dials = 0;
                });
            }
            Input::DialFailed { fingerprint, hopeless } => self.dial_failed(now, fingerprint, hopeless),
            Input::LinkLost(fingerprint) => {
                self.table.change(fingerprint, |entry| {
                    if entry.contact == Contact::Linked {
                        entry.contact = Contact::Failed { attempts: 0, retry: now + RELINK };
                    }
                });
            }
            Input::Wanted(fingerprint) => {
                let ticket = self.last_ticket + 1;
                self.last_ticket = ticket;
                self.table.change(fingerprint, |entry| {
                    let idle = matches!(entry.contact, Contact::None | Contact::Failed { .. });
                    if entry.gone.is_none() && idle {
                        entry.contact = Contact::Waiting;
                        entry.dials = 0;
                        entry.ticket = ticket;
                    }
                });
            }
            Input::OwnChanged => {
                let soonest = self.last_announce.map_or(now, |last| now.max(last + ANNOUNCE_PAUSE));
                self.next_announce = self.next_announce.map(|next| next.min(soonest));
            }
            Input::Tick => {}
            Input::Stop => self.leave(now, effects),
        }
        self.do_what_is_due(now, effects);
        self.dial(effects);
    }

    /// When [`Input::Tick`] is due, if nothing is heard before.
    pub fn wakes_at(&self) -> Option<Duration> {
        let due = self.table.first_due().map(|(due, _)| due);
        let reply = self.replies.keys().next().map(|(due, _)| *due);
        [due, reply, self.next_announce].into_iter().flatten().min()
    }

    /// Peers that are there, in the order of their fingerprints.
    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        self.table.live().map(|(fingerprint, entry)| entry.peer(fingerprint))
    }

    /// One peer, if it is there.
    pub fn peer(&self, fingerprint: Fingerprint) -> Option<Peer> {
        let entry = self.table.get(fingerprint).filter(|entry| entry.gone.is_none())?;
        Some(entry.peer(fingerprint))
    }

    /// How many peers are there.
    pub fn count(&self) -> usize {
        self.table.count_live()
    }

    /// How many are remembered, gone ones among them; never more than [`Settings::capacity`].
    pub fn remembered(&self) -> usize {
        self.table.len()
    }

    /// What was heard to no effect.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn heard(
        &mut self,
        now: Duration,
        datagram: &Datagram,
        from: SocketAddr,
        way: Way,
        effects: &mut Vec<Effect>,
    ) {
        let fingerprint = datagram.fingerprint;
        if fingerprint == self.settings.own {
            self.counters.own += 1;
            return;
        }
        let stamp = (datagram.presence.boot, datagram.presence.sequence);
        let from = host(from);
        match self.table.get(fingerprint) {
            Some(entry) if stamp < entry.stamp() || (stamp == entry.stamp() && entry.gone.is_some()) => {
                self.counters.replayed += 1;
            }
            Some(entry) if stamp == entry.stamp() => self.heard_again(now, fingerprint, from, way, effects),
            Some(_) if datagram.kind == DatagramKind::Goodbye => {
                let was_there = self.table.change(fingerprint, |entry| {
                    entry.presence = datagram.presence;
                    entry.last_heard = now;
                    leave(entry, now)
                });
                if was_there == Some(true) {
                    effects.push(Effect::Gone { fingerprint, why: Why::Goodbye });
                }
            }
            Some(_) => self.heard_news(now, datagram, from, way, effects),
            // It was not missed.
            None if datagram.kind == DatagramKind::Goodbye => {}
            None => {
                if self.make_room(effects) {
                    let mut entry = Entry::new(datagram.presence, now);
                    // Becomes there by what follows.
                    entry.gone = Some(now);
                    self.table.insert(fingerprint, entry);
                    self.heard_news(now, datagram, from, way, effects);
                } else {
                    self.counters.refused += 1;
                }
            }
        }
    }

    /// The newest datagram of a peer came by one more way.
    fn heard_again(
        &mut self,
        now: Duration,
        fingerprint: Fingerprint,
        from: SocketAddr,
        way: Way,
        effects: &mut Vec<Effect>,
    ) {
        self.counters.duplicate += 1;
        let updated = self.table.change(fingerprint, |entry| {
            if way == Way::Group {
                entry.by_group = Some(now);
            }
            entry.heard_also_from(from, now).then(|| entry.peer(fingerprint))
        });
        effects.extend(updated.flatten().map(Effect::Updated));
    }

    /// A peer says something that it has not said before, and not Goodbye.
    fn heard_news(
        &mut self,
        now: Duration,
        datagram: &Datagram,
        from: SocketAddr,
        way: Way,
        effects: &mut Vec<Effect>,
    ) {
        let (fingerprint, presence) = (datagram.fingerprint, datagram.presence);
        let ticket = self.last_ticket + 1;
        let news = self.table.change(fingerprint, |entry| {
            let before = entry.presence;
            let rebooted = presence.boot != before.boot;
            let arrived = entry.gone.take().is_some() || rebooted;
            if arrived {
                entry.forget_addresses();
            }
            entry.presence = presence;
            entry.last_heard = now;
            if way == Way::Group {
                entry.by_group = Some(now);
            }
            let ports = |p: &Presence| (p.work_port, p.status_port);
            let moved = entry.heard_from(from, now) || ports(&presence) != ports(&before);
            let as_before = Presence {
                sequence: before.sequence,
                interval: before.interval,
                unicast_port: before.unicast_port,
                ..presence
            };
            let dial = match entry.contact {
                Contact::None => true,
                Contact::Failed { retry, .. } => arrived || moved || retry <= now,
                Contact::Waiting | Contact::Dialling | Contact::Linked => false,
            };
            if dial {
                entry.contact = Contact::Waiting;
                entry.ticket = ticket;
            }
            let updated = (arrived || moved || as_before != before).then(|| entry.peer(fingerprint));
            (arrived, updated)
        });
        self.last_ticket = ticket;
        let Some((arrived, updated)) = news else { return };
        effects.extend(updated.map(Effect::Updated));
        if datagram.kind == DatagramKind::Announce {
            let direct = way == Way::Direct;
            // A peer that was configured with this host's address may hear nothing else from here.
            if direct || arrived {
                self.reply(now, fingerprint, with_port(from, presence.unicast_port), direct);
            }
        }
    }

    /// Plans a Reply, unless there was one just now.
    fn reply(&mut self, now: Duration, fingerprint: Fingerprint, to: SocketAddr, direct: bool) {
        let suppressed = !direct && self.table.count_live() > MOST_TO_REPLY;
        if suppressed || self.next_announce.is_none() || self.replies.len() >= MOST_REPLIES {
            return;
        }
        let delay = part(if direct { DIRECT_REPLY_DELAY } else { REPLY_DELAY }, &mut self.random);
        let due = now + delay;
        let planned = self.table.change(fingerprint, |entry| {
            let pause_is_over = entry.replied.is_none_or(|last| last + REPLY_PAUSE <= now);
            if pause_is_over {
                entry.replied = Some(due);
            }
            pause_is_over
        });
        if planned == Some(true) {
            self.replies.insert((due, fingerprint), (to, direct));
        }
    }

    /// Whether there is room for one more peer, perhaps in the place of one that nothing has proven.
    fn make_room(&mut self, effects: &mut Vec<Effect>) -> bool {
        if self.table.len() < self.settings.capacity.max(1) {
            return true;
        }
        let Some(fingerprint) = self.table.most_expendable() else { return false };
        if self.table.remove(fingerprint).is_some_and(|entry| entry.gone.is_none()) {
            effects.push(Effect::Gone { fingerprint, why: Why::Crowded });
        }
        true
    }

    fn dial_failed(&mut self, now: Duration, fingerprint: Fingerprint, hopeless: bool) {
        let random = &mut self.random;
        self.table.change(fingerprint, |entry| {
            // A link that came up from the other side meanwhile is as good.
            if entry.contact != Contact::Dialling {
                return;
            }
            let wait = if hopeless {
                LONGEST_RETRY
            } else {
                FIRST_RETRY.saturating_mul(1 << entry.dials.min(10)).min(LONGEST_RETRY)
            };
            entry.dials += 1;
            entry.contact = Contact::Failed { attempts: entry.dials, retry: now + shortened(wait, random) };
        });
    }

    fn leave(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.next_announce.take().is_some() {
            self.replies.clear();
            self.tell_everyone(now, DatagramKind::Goodbye, effects);
        }
    }

    fn do_what_is_due(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        while let Some((due, fingerprint)) = self.table.first_due()
            && due <= now
        {
            self.entry_is_due(now, fingerprint, effects);
        }
        if self.next_announce.is_some_and(|due| due <= now) {
            let people = self.table.count_live() + 1;
            self.interval = interval(people);
            // Who asked for all to hear is answered by this.
            self.replies.retain(|_, (_, direct)| *direct);
            self.tell_everyone(now, DatagramKind::Announce, effects);
            self.last_announce = Some(now);
            let next = shortened(Duration::from_secs(self.interval.into()), &mut self.random);
            self.next_announce = Some(now + next);
        }
        while let Some(first) = self.replies.first_entry()
            && first.key().0 <= now
        {
            let (to, direct) = first.remove();
            if direct || self.table.count_live() <= MOST_TO_REPLY {
                effects.push(Effect::Send {
                    to: Destination::One(to),
                    kind: DatagramKind::Reply,
                    interval: self.interval,
                });
            }
        }
    }

    /// Forgotten, fallen silent, or to be dialled again.
    fn entry_is_due(&mut self, now: Duration, fingerprint: Fingerprint, effects: &mut Vec<Effect>) {
        let ticket = self.last_ticket + 1;
        let Some(entry) = self.table.get(fingerprint) else { return };
        if entry.gone.is_some() {
            self.table.remove(fingerprint);
        } else if entry.expiry() <= now {
            self.table.change(fingerprint, |entry| leave(entry, now));
            effects.push(Effect::Gone { fingerprint, why: Why::Silent });
        } else {
            self.last_ticket = ticket;
            self.table.change(fingerprint, |entry| {
                entry.contact = Contact::Waiting;
                entry.ticket = ticket;
            });
        }
    }

    fn tell_everyone(&self, now: Duration, kind: DatagramKind, effects: &mut Vec<Effect>) {
        let interval = self.interval;
        let everyone = Destination::Everyone {
            ipv6_too: self.table.live().any(|(_, entry)| entry.ipv6_only()),
            broadcast_too: self.table.live().any(|(_, entry)| entry.missed_by_group(now)),
        };
        let statics = self.settings.static_peers.iter().map(|address| Destination::One(*address));
        effects.extend([everyone].into_iter().chain(statics).map(|to| Effect::Send { to, kind, interval }));
    }

    fn dial(&mut self, effects: &mut Vec<Effect>) {
        while self.table.count_dialling() < MOST_DIALS
            && let Some(fingerprint) = self.table.first_waiting()
        {
            let peer = self.table.change(fingerprint, |entry| {
                entry.contact = Contact::Dialling;
                entry.peer(fingerprint)
            });
            effects.extend(peer.map(Effect::Dial));
        }
    }
}

/// Marks a peer as gone; says whether it was there.
fn leave(entry: &mut Entry, now: Duration) -> bool {
    // A dial under way will be answered, and a link ends by itself.
    if !matches!(entry.contact, Contact::Dialling | Contact::Linked) {
        entry.contact = Contact::None;
    }
    entry.gone.replace(now).is_none()
}

/// Seconds between a peer's announcements among this many peers: all together about three per second, within limits.
pub(super) fn interval(people: usize) -> u16 {
    let (shortest, longest) = INTERVAL_LIMITS;
    let wanted = people.saturating_mul(3).div_ceil(10);
    u16::try_from(wanted).unwrap_or(longest).clamp(shortest, longest)
}

/// Up to a fifth less, by chance: what was promised is kept.
fn shortened(time: Duration, random: &mut fastrand::Rng) -> Duration {
    time - part(time / 5, random)
}

/// A random part of this time.
fn part(time: Duration, random: &mut fastrand::Rng) -> Duration {
    time.mul_f64(random.f64())
}
