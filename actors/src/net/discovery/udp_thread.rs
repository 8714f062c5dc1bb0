//! The thread that owns the sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ed25519_dalek::VerifyingKey;
use flotilla_messages::datagram::LARGEST_DATAGRAM;
use flotilla_messages::{Datagram, DatagramError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::interfaces::{Nic, choose};
use super::sockets::{InterfaceSockets, Network, Own};
use crate::net::membership::{Destination, Way};

/// Datagrams that may wait to be sent.
const QUEUE: usize = 256;
/// Datagrams read from one socket before the others have their turn.
const AT_A_TIME: usize = 32;
/// How often it is looked which interfaces there are.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// An interface on which no other host was heard through the group this long is broadcast to as well.
const GROUP_SILENT: Duration = Duration::from_secs(900);

/// A datagram with a good signature, as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) datagram: Datagram,
    pub(super) from: SocketAddr,
    pub(super) way: Way,
}

/// A datagram to be sent.
struct OutgoingDatagram {
    to: Destination,
    bytes: Vec<u8>,
}

/// What came in, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatagramCounters {
    /// With a good signature.
    pub good: u64,
    /// This peer's own, come back; by the key they name, unchecked.
    pub own: u64,
    /// Of another program or version, cut, or with impossible fields.
    pub malformed: u64,
    /// With a wrong signature.
    pub forged: u64,
    /// Good ones dropped because those before were not yet worked off.
    pub dropped: u64,
}

#[derive(Default)]
struct CounterCells {
    good: AtomicU64,
    own: AtomicU64,
    malformed: AtomicU64,
    forged: AtomicU64,
    dropped: AtomicU64,
}

/// The thread's handle. Dropping it sends what waits, ends the thread and waits for that.
pub(super) struct UdpThread {
    /// The UDP port that is this peer's own.
    pub(super) unicast_port: u16,
    orders: Option<SyncSender<OutgoingDatagram>>,
    wake: Option<PipeWriter>,
    counters: Arc<CounterCells>,
    thread: Option<JoinHandle<()>>,
}

/// The thread is no more.
#[derive(Debug)]
pub(super) struct Silent;

impl UdpThread {
    /// Opens this peer's own sockets and starts the thread, which opens those of the interfaces. `deliver` says
    /// whether it had room; it must not wait.
    ///
    /// # Errors
    /// No sockets, pipes or threads left.
    pub(super) fn start(
        network: Network,
        own_key: VerifyingKey,
        deliver: impl Fn(Received) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let own = Own::open()?;
        let unicast_port = own.port;
        let (waiting, waking) = io::pipe()?;
        let (orders, queue) = sync_channel(QUEUE);
        let counters = Arc::new(CounterCells::default());
        let receiver = Receiving { own_key, counters: counters.clone(), deliver };
        let mut thread = Loop {
            own,
            stations: Vec::new(),
            addresses: BTreeSet::new(),
            group_heard: BTreeMap::new(),
            last: None,
            warned: BTreeMap::new(),
            network,
            queue,
            waiting,
            receiving: receiver,
        };
        let thread = std::thread::Builder::new().name("discovery".into()).spawn(move || thread.run())?;
        Ok(Self { unicast_port, orders: Some(orders), wake: Some(waking), counters, thread: Some(thread) })
    }

    /// Queues a datagram. One that finds the queue full is dropped: the next announcement says the same.
    ///
    /// # Errors
    /// The thread has ended, which it never does by itself.
    pub(super) fn send(&self, to: Destination, bytes: Vec<u8>) -> Result<(), Silent> {
        let (Some(orders), Some(mut wake)) = (&self.orders, self.wake.as_ref()) else { return Err(Silent) };
        match orders.try_send(OutgoingDatagram { to, bytes }) {
            // The pipe has room for far more bytes than the queue has for orders.
            Ok(()) => wake.write_all(&[0]).map_err(|_| Silent),
            Err(TrySendError::Full(_)) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(Silent),
        }
    }

    pub(super) fn heard(&self) -> DatagramCounters {
        let CounterCells { good, own, malformed, forged, dropped } = &*self.counters;
        let [good, own, malformed, forged, dropped] =
            [good, own, malformed, forged, dropped].map(|counter| counter.load(Ordering::Relaxed));
        DatagramCounters { good, own, malformed, forged, dropped }
    }
}

impl Drop for UdpThread {
    fn drop(&mut self) {
        self.orders = None;
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the discovery thread had panicked");
        }
    }
}

/// What is done with what was read.
struct Receiving<F> {
    own_key: VerifyingKey,
    counters: Arc<CounterCells>,
    deliver: F,
}

impl<F: Fn(Received) -> bool> Receiving<F> {
    /// Reads a few datagrams; calls `good` with the sender of each that was good.
    fn read(&self, socket: &UdpSocket, way: Way, mut good: impl FnMut(IpAddr)) {
        // One more than the largest: what is longer is seen to be.
        let mut buffer = [0; LARGEST_DATAGRAM + 1];
        for _ in 0..AT_A_TIME {
            // Errors of earlier sends (a closed port, for instance) arrive here, and say nothing about reading.
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { return };
            let bytes = &buffer[..length];
            if Datagram::names(bytes, &self.own_key) {
                count(&self.counters.own);
                continue;
            }
            match Datagram::open(bytes) {
                Ok(datagram) => {
                    count(&self.counters.good);
                    good(from.ip());
                    if !(self.deliver)(Received { datagram, from, way }) {
                        count(&self.counters.dropped);
                    }
                }
                Err(DatagramError::Signature | DatagramError::Key(_)) => count(&self.counters.forged),
                Err(_) => count(&self.counters.malformed),
            }
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

struct Loop<F> {
    own: Own,
    stations: Vec<InterfaceSockets>,
    /// All addresses of this host's stations: what comes from there did not cross a network.
    addresses: BTreeSet<IpAddr>,
    /// When another host was last heard through the group, by interface.
    group_heard: BTreeMap<u32, Instant>,
    /// What was last sent to all, for interfaces that come up: the next announcement may be minutes away.
    last: Option<Vec<u8>>,
    /// What was said about an interface, so that it is said once.
    warned: BTreeMap<String, String>,
    network: Network,
    queue: Receiver<OutgoingDatagram>,
    waiting: PipeReader,
    receiving: Receiving<F>,
}

impl<F: Fn(Received) -> bool> Loop<F> {
    fn run(&mut self) {
        self.look_around();
        let mut next_look = Instant::now() + LOOK_AGAIN;
        loop {
            let (on, readable) = self.wait(next_look);
            // Orders first: a flood does not keep this peer from speaking.
            while let Ok(order) = self.queue.try_recv() {
                self.send(&order);
            }
            if !on {
                return;
            }
            self.read(&readable);
            if Instant::now() >= next_look {
                self.look_around();
                next_look = Instant::now() + LOOK_AGAIN;
            }
        }
    }

    /// Waits until there is something to do. Says whether to go on, and which sockets have something to read, in
    /// the order of [`Self::read`].
    fn wait(&mut self, until: Instant) -> (bool, Vec<bool>) {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let ears = self.stations.iter().flat_map(|station| &station.ears).map(|ear| &ear.socket);
        let sockets = [&self.own.v4].into_iter().chain(&self.own.v6).chain(ears);
        let mut polled = vec![PollFd::new(&self.waiting, PollFlags::IN)];
        polled.extend(sockets.map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)));
        // Interrupted is as good as nothing to read.
        let _ = poll(&mut polled, timeout.as_ref());
        let mut events = polled.iter().map(|fd| !fd.revents().is_empty());
        let woken = events.next().unwrap_or(false);
        let readable = events.collect();
        let on = !woken || matches!(self.waiting.read(&mut [0; QUEUE]), Ok(1..));
        (on, readable)
    }

    fn read(&mut self, readable: &[bool]) {
        let mut readable = readable.iter().copied();
        let mut ready = || readable.next().unwrap_or(false);
        for socket in [&self.own.v4].into_iter().chain(&self.own.v6) {
            if ready() {
                self.receiving.read(socket, Way::Direct, |_| ());
            }
        }
        for station in &self.stations {
            for ear in &station.ears {
                if ready() {
                    self.receiving.read(&ear.socket, ear.way, |from| {
                        if ear.way == Way::Group && !self.addresses.contains(&from) {
                            self.group_heard.insert(station.nic.index, Instant::now());
                        }
                    });
                }
            }
        }
    }

    fn send(&mut self, OutgoingDatagram { to, bytes }: &OutgoingDatagram) {
        match *to {
            Destination::One(to) => {
                let sent = self.own.send(bytes, to);
                if let Err(error) = &sent {
                    log::debug!("cannot send to {to}: {error}");
                }
            }
            Destination::Everyone { ipv6_too, broadcast_too } => {
                self.send_to_all(0, bytes, ipv6_too, broadcast_too);
                self.last = Some(bytes.clone());
            }
        }
    }

    /// Sends through the stations from this place on.
    fn send_to_all(&mut self, first: usize, bytes: &[u8], ipv6_too: bool, broadcast_too: bool) {
        let mut results = Vec::new();
        let with_v4: BTreeSet<u32> = self
            .stations
            .iter()
            .filter(|station| station.nic.address.is_ipv4() && station.group.is_some())
            .map(|station| station.nic.index)
            .collect();
        for (place, station) in self.stations.iter().enumerate().skip(first) {
            let Nic { index, address, .. } = station.nic;
            let family_is_used = address.is_ipv4() || ipv6_too || !with_v4.contains(&index);
            if let Some(group) = station.group.as_ref().filter(|_| family_is_used) {
                results.push((place, "multicast", group.say(bytes)));
            }
            let group_is_silent = self.group_heard.get(&index).is_none_or(|at| at.elapsed() > GROUP_SILENT);
            if let Some(broadcast) = station.broadcast.as_ref().filter(|_| broadcast_too || group_is_silent) {
                results.push((place, "broadcast", broadcast.say(bytes)));
            }
        }
        for (place, what, result) in results {
            let Some(station) = self.stations.get_mut(place) else { continue };
            let about = about(&station.nic, what);
            match result {
                Ok(()) => drop(self.warned.remove(&about)),
                Err(error) => {
                    // It is opened anew when interfaces are looked at again.
                    station.whole = false;
                    warn(&mut self.warned, about, &error);
                }
            }
        }
    }

    /// Opens sockets for addresses that are new or were not whole, and closes those of addresses that are no more.
    fn look_around(&mut self) {
        let nics = match if_addrs::get_if_addrs() {
            Ok(all) => choose(all, &self.network.interfaces),
            Err(error) => return warn(&mut self.warned, "the list of interfaces".into(), &error),
        };
        if nics.is_empty() {
            let error = io::Error::other("none is up");
            warn(&mut self.warned, "network interfaces".into(), &error);
        }
        self.stations.retain(|station| station.whole && nics.contains(&station.nic));
        // New ones last, so that they alone are told what the others know.
        let (known, new): (Vec<&Nic>, _) = nics.iter().partition(|nic| self.addresses.contains(&nic.address));
        let mut first_new = self.stations.len();
        for nic in known.iter().chain(&new).copied() {
            if self.stations.iter().any(|station| station.nic == *nic) {
                continue;
            }
            let warned = &mut self.warned;
            let station = InterfaceSockets::open(nic.clone(), &self.network, |what, error| {
                warn(warned, about(nic, what), error);
            });
            if station.whole {
                log::info!("discovery uses {} ({})", nic.name, nic.address);
            }
            self.stations.push(station);
            first_new += usize::from(known.contains(&nic));
        }
        let indexes: BTreeSet<u32> = nics.iter().map(|nic| nic.index).collect();
        self.group_heard.retain(|index, _| indexes.contains(index));
        self.addresses = nics.iter().map(|nic| nic.address).collect();
        if let Some(last) = self.last.take() {
            self.send_to_all(first_new, &last, false, true);
            self.last = Some(last);
        }
    }
}

fn about(nic: &Nic, what: &str) -> String {
    format!("{what} on {} ({})", nic.name, nic.address)
}

/// Says it once, until it is something else.
fn warn(warned: &mut BTreeMap<String, String>, about: String, error: &io::Error) {
    /// More than any host has ways; should one's addresses change without end, it is said again.
    const MOST: usize = 1024;
    let error = error.to_string();
    if warned.get(&about) != Some(&error) {
        log::warn!("cannot use {about}: {error}");
        if warned.len() >= MOST {
            warned.clear();
        }
        warned.insert(about, error);
    }
}
