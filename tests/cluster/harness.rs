//! Peers in one process: real daemons on 127.0.0.1 with real TCP, TLS and UDP, and cables between them that can be
//! cut and healed.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant};

use flotilla_actors::daemon::registry::{GetPeers, PeerSnapshot};
use flotilla_actors::daemon::{Addresses, Daemon, Route, Settings, UdpSettings};
use flotilla_actors::net::discovery::{Interfaces, Network};
use flotilla_actors::net::link::Timing;
use flotilla_actors::run::daemon_client::Client;
use flotilla_actors::trust::identity::{Home, Identity};
use flotilla_actors::trust::{Command, CommandError, CommandOutcome, GetStandings};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{LinkView, PeerView};

use crate::cable::{Cable, Cables};

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Several peers on one network.
pub struct Cluster {
    pub peers: Vec<Peer>,
    pub cables: Rc<Cables>,
}

/// One of them.
pub struct Peer {
    dir: tempfile::TempDir,
    pub settings: Settings,
    /// None while it is down.
    pub daemon: Option<Daemon>,
    pub fingerprint: Fingerprint,
    pub key: [u8; 32],
}

/// A UDP port that nobody has.
fn free_udp_port() -> u16 {
    UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// So many, which nobody trusts, down.
    pub fn new(peers: usize) -> Self {
        let network = Network {
            port: free_udp_port(),
            interfaces: Interfaces::Only(vec!["lo".to_owned()]),
            ..Network::default()
        };
        let cables = Rc::new(Cables::default());
        let peers = (0..peers).map(|number| Peer::new(network.clone(), Rc::clone(&cables), number)).collect();
        Self { peers, cables }
    }

    /// So many, up.
    pub async fn start(peers: usize) -> Self {
        let mut cluster = Self::new(peers);
        for number in 0..peers {
            cluster.up(number).await;
        }
        cluster
    }

    /// So many, with these settings, up.
    pub async fn start_with(peers: usize, change: impl Fn(usize, &mut Settings)) -> Self {
        let mut cluster = Self::new(peers);
        for number in 0..peers {
            change(number, &mut cluster.peers[number].settings);
            cluster.up(number).await;
        }
        cluster
    }

    /// Starts a peer; it keeps its identity and what it stored.
    pub async fn up(&mut self, number: usize) {
        let peer = &mut self.peers[number];
        let daemon = Daemon::start(&peer.home(), peer.settings.clone()).await.unwrap();
        self.cables.status_port(number, daemon.addresses().status.port());
        // It answers once its first statement is on disk.
        daemon.trust().send(GetStandings).await.unwrap();
        peer.daemon = Some(daemon);
    }

    /// Ends a peer in order.
    pub async fn down(&mut self, number: usize) {
        if let Some(daemon) = self.peers[number].daemon.take() {
            daemon.stop("the test says so").await;
        }
    }

    /// Starts a peer as a process of its own would be: it can end without a word. It dials without cables.
    pub async fn up_elsewhere(&mut self, number: usize) -> Elsewhere {
        let peer = &self.peers[number];
        let elsewhere = Elsewhere::start(peer.home(), &peer.settings).await;
        self.cables.status_port(number, elsewhere.addresses.status.port());
        elsewhere
    }

    /// Ends all that are up.
    pub async fn end(mut self) {
        for number in 0..self.peers.len() {
            self.down(number).await;
        }
    }

    /// Makes one trust the other, as `peerd approve` does.
    pub async fn approve(&self, who: usize, whom: usize) -> CommandOutcome {
        self.command(who, Command::Approve(self.peers[whom].key)).await.unwrap()
    }

    /// Makes two trust each other.
    pub async fn befriend(&self, one: usize, other: usize) {
        self.approve(one, other).await;
        self.approve(other, one).await;
    }

    pub async fn revoke(&self, who: usize, whom: usize) -> CommandOutcome {
        self.command(who, Command::Revoke(self.peers[whom].fingerprint)).await.unwrap()
    }

    pub async fn command(&self, who: usize, command: Command) -> Result<CommandOutcome, CommandError> {
        self.daemon(who).trust().send(command).await.unwrap()
    }

    pub fn daemon(&self, number: usize) -> &Daemon {
        self.peers[number].daemon.as_ref().unwrap()
    }

    pub async fn shown(&self, who: usize) -> PeerSnapshot {
        self.daemon(who).registry().send(GetPeers).await.unwrap()
    }

    /// What one sees of the other; nothing if it does not know it.
    pub async fn view(&self, who: usize, whom: usize) -> Option<PeerView> {
        let shown = self.shown(who).await;
        shown.peers.into_iter().find(|peer| peer.fingerprint == self.peers[whom].fingerprint)
    }

    /// Waits until what one sees of the other is so.
    pub async fn until(
        &self,
        what: &str,
        who: usize,
        whom: usize,
        holds: impl Fn(&PeerView) -> bool,
    ) -> PeerView {
        let mut last = None;
        let mut polls = Polls::new();
        loop {
            let view = self.view(who, whom).await;
            if let Some(view) = view.as_ref().filter(|view| holds(view)) {
                return view.clone();
            }
            last = view.or(last);
            assert!(polls.next().await, "{what}: {who} sees {whom} as {last:#?}");
        }
    }

    /// Waits until one can use the other.
    pub async fn until_usable(&self, who: usize, whom: usize) -> PeerView {
        self.until("usable", who, whom, usable).await
    }

    /// Waits until the two can use each other.
    pub async fn until_friends(&self, one: usize, other: usize) {
        self.until_usable(one, other).await;
        self.until_usable(other, one).await;
    }

    /// Waits until one cannot use the other, for a reason that says this.
    pub async fn until_obstacle(&self, who: usize, whom: usize, says: &str) -> PeerView {
        let holds = |view: &PeerView| view.obstacle.as_ref().is_some_and(|obstacle| obstacle.contains(says));
        self.until(says, who, whom, holds).await
    }

    /// A link to the Local port, as the `peerd` command has it.
    pub async fn client(&self, number: usize) -> Client {
        let address = self.daemon(number).addresses().local;
        Client::connect(address, &self.peers[number].identity()).await.unwrap()
    }
}

/// A small wait between two looks, until patience is at its end.
pub struct Polls {
    end: Instant,
    interval: actix_rt::time::Interval,
}

impl Polls {
    pub fn new() -> Self {
        let interval = actix_rt::time::interval(Duration::from_millis(5));
        Self { end: Instant::now() + PATIENCE, interval }
    }

    /// Whether there is time for another look.
    pub async fn next(&mut self) -> bool {
        self.interval.tick().await;
        Instant::now() < self.end
    }
}

pub fn usable(view: &PeerView) -> bool {
    view.obstacle.is_none()
}

pub fn linked(view: &PeerView) -> bool {
    view.link == LinkView::Up { suspected: false }
}

/// A daemon on a thread and a system of its own.
pub struct Elsewhere {
    pub addresses: Addresses,
    kill: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Elsewhere {
    async fn start(home: Home, like: &Settings) -> Self {
        let network = like.discovery.as_ref().unwrap().network.clone();
        let (kill, killed) = tokio::sync::oneshot::channel::<()>();
        let (started, addresses) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let system = actix_rt::System::new();
            let daemon = system.block_on(async {
                let daemon = Daemon::start(&home, settings(network, Route::default())).await.unwrap();
                actix_rt::spawn(async {
                    let _ = killed.await;
                    actix_rt::System::current().stop();
                });
                daemon
            });
            started.send(daemon.addresses()).unwrap();
            system.run().unwrap();
        });
        Self { addresses: addresses.await.unwrap(), kill, thread }
    }

    /// Ends it as SIGKILL does: its sockets are closed, and nothing is said.
    pub fn kill(self) {
        self.kill.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

/// What every peer of these tests is started with.
pub fn settings(network: Network, route: Route) -> Settings {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let second = Duration::from_secs(1);
    let timing = Timing { heartbeat: second / 4, suspected: second, lost: 3 * second, ..Timing::default() };
    Settings {
        local: anywhere,
        work: anywhere,
        status: anywhere,
        jobs: 2,
        discovery: Some(UdpSettings { network, ..UdpSettings::default() }),
        timing,
        route,
        ..Settings::default()
    }
}

impl Peer {
    fn new(network: Network, cables: Rc<Cables>, number: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (identity, _) = Home::at(dir.path()).setup().unwrap();
        let settings = settings(network, Route::through(move |address| cables.lead(number, address)));
        let fingerprint = identity.fingerprint();
        let key = identity.public_key().to_bytes();
        Self { dir, settings, daemon: None, fingerprint, key }
    }

    pub fn home(&self) -> Home {
        Home::at(self.dir.path())
    }

    pub fn identity(&self) -> Identity {
        self.home().identity().unwrap()
    }

    /// The files below a directory of its home, with what they hold; not those that get their name meanwhile.
    pub fn files(&self, directory: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.dir.path().join(directory)).unwrap();
        let file = |entry: std::fs::DirEntry| match std::fs::read(entry.path()) {
            Ok(content) => Some((entry.file_name().to_string_lossy().into_owned(), content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => panic!("{}: {error}", entry.path().display()),
        };
        entries.filter_map(|entry| file(entry.unwrap())).collect()
    }
}

impl Cluster {
    /// Cuts, silences or heals the cable between two.
    pub fn cable(&self, one: usize, other: usize, cable: Cable) {
        self.cables.set(one, other, cable);
    }
}
