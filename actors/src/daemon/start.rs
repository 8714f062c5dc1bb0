//! From a home directory to open ports, and back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use actix::{Actor, Addr, Arbiter, AsyncContext, Context, Recipient};
use ed25519_dalek::SigningKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::wire::{Hello, Limits};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::event::DaemonEvent;
use super::load::average;
use super::settings::{Settings, UdpSettings};
use crate::daemon::local::{self, DaemonInfo, LocalDependencies, LocalHandler};
use crate::daemon::registry::{PeerRegistry, SetDiscovery};
use crate::daemon::status::{self, StatusDialler, StatusHandler};
use crate::daemon::work::{self, StorePaths, WorkHandler, WorkSettings};
use crate::execution::confine;
use crate::kit::{DeathWatch, unix_seconds};
use crate::net::discovery::{
    Announced, Discovery, DiscoveryError, DiscoverySetup, List, Notice, OwnState, StopDiscovery,
};
use crate::net::link::{
    self, Admission, LinkNews, Listening, Open, Quotas, Tls, TlsError, WireMessage, listen,
};
use crate::trust::identity::{Home, HomeError};
use crate::trust::{self, Ledger, TrustStore, TrustedKeys};

/// The most a message between daemons may hold: a page of serials is 40 KiB.
const STATUS_LIMITS: Limits = Limits { wire: 256 << 10, body: 512 << 10 };
/// The most a message of a runner on this host may hold.
const LOCAL_LIMITS: Limits = Limits { wire: 1 << 20, body: 4 << 20 };

/// Results that may wait for one client: what tests print that fail by the dozen.
const WORK_OUTGOING: usize = 128 << 20;

/// How long the end waits for those who are told of it.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What is on disk.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The identity.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A port is taken, or an address is not this machine's.
    #[error("cannot listen at {address} (the {port} port): {source}")]
    Port {
        /// Local, Work or Status.
        port: &'static str,
        /// Its address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// UDP.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
}

/// Where a daemon listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The Local port.
    pub local: SocketAddr,
    /// The Work port.
    pub work: SocketAddr,
    /// The Status port.
    pub status: SocketAddr,
    /// The own UDP port, if discovery runs.
    pub discovery: Option<u16>,
}

/// A daemon that runs, on the actix system of the current thread.
pub struct Daemon {
    fingerprint: Fingerprint,
    addresses: Addresses,
    trust: Addr<TrustStore>,
    registry: Addr<PeerRegistry>,
    status: Addr<StatusHandler>,
    local: Addr<LocalHandler>,
    work: Addr<WorkHandler>,
    discovery: Option<Addr<Discovery>>,
    arbiter: Arbiter,
    /// All links of all ports.
    open: Open,
    ended: UnboundedReceiver<DaemonEvent>,
}

impl Daemon {
    /// Opens the ports and starts the actors. The caller sees to it that no other daemon has this home.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(home: &Home, settings: Settings) -> Result<Self, StartError> {
        let (ledger, mut warnings) = Ledger::open(home, settings.trust, unix_seconds())?;
        warnings.iter().for_each(|warning| log::warn!(target: "trust", "{warning}"));
        let boot = home.next_boot(SystemTime::now())?;
        let identity = ledger.identity();
        let (fingerprint, key) = (identity.fingerprint(), identity.signing_key().clone());
        let trusted = TrustedKeys::default();
        let tls = PortTls::new(&key, fingerprint, &trusted)?;
        // Addresses first: these actors know one another.
        let actors = Contexts::default();
        let open = Open::default();
        let ports = ListenerPorts { settings: &settings, open: &open }.open_all(&tls, &actors).await?;
        let mut addresses = ports.addresses();
        let Contexts { registry, status, local, work } = actors;

        let (ending, ended) = unbounded_channel();
        let watch = |name| DeathWatch::new(name, ending.clone());
        let state = OwnState { jobs: settings.jobs, serial: 0 };
        let discovery = discovery(&settings, key, boot, &ports, state, registry.address().recipient())?;

        let arbiter = Arbiter::new();
        let decisions = vec![registry.address().recipient(), work.address().recipient()];
        let store = (trusted.clone(), status.address().recipient(), decisions);
        let store_watch = watch("TrustStore");
        let trust = TrustStore::start_in_arbiter(&arbiter.handle(), move |_| {
            let (trusted, orders, decisions) = store;
            TrustStore::new(ledger, trusted, orders, decisions, Box::new(store_watch))
        });
        let worker_keys = trusted.clone();
        let registry = registry.run(PeerRegistry::new(
            trusted,
            trust.clone(),
            status.address().recipient(),
            status.address().recipient(),
            settings.versions,
            state,
            watch("PeerRegistry"),
        ));
        let reports = registry.clone().recipient();
        let status = status.run(StatusHandler::new(
            fingerprint,
            ports.status.listening,
            StatusDialler { tls: tls.peers, settings: ports.status.settings, route: settings.route },
            trust.clone(),
            reports,
            watch("StatusHandler"),
        ));
        let work_dependencies = work::WorkDependencies {
            own: fingerprint,
            trusted: worker_keys,
            jobs: settings.jobs,
            store_paths: store_paths(home, &settings.work_settings),
            settings: settings.work_settings,
            dialler: work::Dialler { tls: tls.workers, settings: ports.work.settings },
        };
        let guests = local.address().recipient();
        let work =
            work.run(WorkHandler::new(ports.work.listening, work_dependencies, guests, watch("WorkHandler")));
        let dependencies = LocalDependencies {
            trust: trust.clone(),
            registry: registry.clone(),
            status: status.clone(),
            work: work.clone(),
            average,
        };
        warnings.extend(confine::extent().warning());
        let info = DaemonInfo {
            fingerprint,
            since: SystemTime::now(),
            jobs: settings.jobs,
            warnings,
            durations: home.path().join("data/durations.sqlite"),
        };
        let load = status.clone().recipient();
        let local = local.run(LocalHandler::new(
            ports.local.listening,
            info,
            dependencies,
            load,
            watch("LocalHandler"),
        ));
        if let Some(discovery) = &discovery {
            registry.do_send(SetDiscovery(discovery.clone()));
            addresses.discovery = discovery.send(List).await.ok().map(|census| census.unicast_port);
        }
        Ok(Self {
            fingerprint,
            addresses,
            trust,
            registry,
            status,
            local,
            work,
            discovery,
            arbiter,
            open,
            ended,
        })
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Its key's name.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whom to ask about peers without a link.
    pub fn registry(&self) -> &Addr<PeerRegistry> {
        &self.registry
    }

    /// Whom to tell about trust without a link.
    pub fn trust(&self) -> &Addr<TrustStore> {
        &self.trust
    }

    /// Waits until it has to end.
    pub async fn ended(&mut self) -> DaemonEvent {
        match self.ended.recv().await {
            Some(ended) => ended,
            // Each actor holds a sender.
            None => DaemonEvent::Died("every actor"),
        }
    }

    /// Says Goodbye to the network and Bye on every link, and closes the ports.
    pub async fn stop(self, reason: &str) {
        let reason = reason.to_owned();
        // Those who are gone already need no telling.
        if let Some(discovery) = self.discovery {
            let _ = discovery.send(StopDiscovery).await;
        }
        let _ = self.work.send(work::StopWork { reason: reason.clone() }).await;
        let _ = self.status.send(status::StopStatus { reason: reason.clone() }).await;
        let _ = self.local.send(local::StopLocal { reason }).await;
        // A peer that does not listen is not waited for.
        let _ = tokio::time::timeout(LAST_WORDS, self.open.drained()).await;
        let _ = self.trust.send(trust::StopTrustStore).await;
        self.arbiter.stop();
        let arbiter = self.arbiter;
        let _ = tokio::task::spawn_blocking(move || arbiter.join()).await;
    }
}

/// Where inputs of clients are kept.
fn store_paths(home: &Home, settings: &WorkSettings) -> StorePaths {
    StorePaths {
        blobs: home.path().join("blobs"),
        work: home.path().join("work"),
        limit: settings.store_limit,
        age: settings.workspace_age,
    }
}

/// Starts discovery, if it is to run.
fn discovery(
    settings: &Settings,
    key: SigningKey,
    boot: u64,
    ports: &OpenPorts,
    state: OwnState,
    notices: Recipient<Notice>,
) -> Result<Option<Addr<Discovery>>, DiscoveryError> {
    let Some(udp) = &settings.discovery else { return Ok(None) };
    let announced = Announced {
        boot,
        protocol: (settings.versions.oldest, settings.versions.newest),
        work_port: ports.work.address.port(),
        status_port: ports.status.address.port(),
    };
    let UdpSettings { network, static_peers, capacity } = udp.clone();
    Discovery::start(DiscoverySetup {
        key,
        announced,
        state,
        network,
        static_peers,
        capacity,
        seed: boot,
        notices,
    })
    .map(Some)
}

/// Actors that have addresses before they are made.
#[derive(Default)]
struct Contexts {
    registry: Context<PeerRegistry>,
    status: Context<StatusHandler>,
    local: Context<LocalHandler>,
    work: Context<WorkHandler>,
}

/// TLS of each port.
struct PortTls {
    /// Any key, for statements of trust.
    peers: Tls,
    /// Keys that are trusted.
    workers: Tls,
    /// The own key alone.
    oneself: Tls,
}

impl PortTls {
    fn new(key: &SigningKey, own: Fingerprint, trusted: &TrustedKeys) -> Result<Self, TlsError> {
        Ok(Self {
            peers: Tls::new(key, Admission::AnyKey(trusted.clone()))?,
            workers: Tls::new(key, Admission::TrustedKeys(trusted.clone()))?,
            oneself: Tls::new(key, Admission::TrustedKeys(TrustedKeys::from_iter([own])))?,
        })
    }
}

/// One port, with what all its links have in common.
struct OpenPort {
    listening: Listening,
    address: SocketAddr,
    settings: Rc<link::Settings>,
}

struct OpenPorts {
    status: OpenPort,
    work: OpenPort,
    local: OpenPort,
}

impl OpenPorts {
    fn addresses(&self) -> Addresses {
        let Self { status, work, local } = self;
        let discovery = None;
        Addresses { local: local.address, work: work.address, status: status.address, discovery }
    }
}

/// What all listeners have in common.
struct ListenerPorts<'a> {
    settings: &'a Settings,
    open: &'a Open,
}

impl ListenerPorts<'_> {
    async fn open_all(&self, tls: &PortTls, actors: &Contexts) -> Result<OpenPorts, StartError> {
        let Settings { status, work, local, .. } = *self.settings;
        let talk = self.settings(STATUS_LIMITS);
        let demand = Rc::new(link::Settings {
            timing: link::Timing::default(),
            outgoing: WORK_OUTGOING,
            ..(*self.settings(Limits::ESTABLISHED)).clone()
        });
        let orders = Rc::new(link::Settings {
            timing: link::Timing::default(),
            // Nobody looks for a line for each `peerd peers`.
            level: log::Level::Debug,
            ..(*self.settings(LOCAL_LIMITS)).clone()
        });
        let owner = actors.status.address().recipient();
        let status = self.open("Status", status, &tls.peers, talk, owner).await?;
        let owner = actors.work.address().recipient();
        let work = self.open("Work", work, &tls.workers, demand, owner).await?;
        let owner = actors.local.address().recipient();
        let local = self.open("Local", local, &tls.oneself, orders, owner).await?;
        Ok(OpenPorts { status, work, local })
    }

    fn settings(&self, limits: Limits) -> Rc<link::Settings> {
        let Settings { versions, timing, jobs, .. } = *self.settings;
        let hello = Hello { versions, ..Hello::of_this_build(jobs.into()) };
        let open = self.open.clone();
        Rc::new(link::Settings { timing, limits, open, ..link::Settings::new(hello) })
    }

    async fn open<M: WireMessage>(
        &self,
        port: &'static str,
        address: SocketAddr,
        tls: &Tls,
        settings: Rc<link::Settings>,
        owner: Recipient<LinkNews<M>>,
    ) -> Result<OpenPort, StartError> {
        let quotas = self.settings.quotas;
        let at = async |address, quotas: Quotas| {
            listen(address, tls.clone(), Rc::clone(&settings), quotas, owner.clone()).await
        };
        let listening = match at(address, quotas).await {
            // All addresses of a machine without IPv6 are those of IPv4.
            Err(error) if has_no_ipv6(&error) && address.ip().is_unspecified() && address.is_ipv6() => {
                at((Ipv4Addr::UNSPECIFIED, address.port()).into(), quotas).await
            }
            listening => listening,
        };
        let listening = listening.map_err(|source| StartError::Port { port, address, source })?;
        let address = listening.address();
        log::info!(target: "daemon", "the {port} port is {address}");
        Ok(OpenPort { listening, address, settings })
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(code, Some(rustix::io::Errno::AFNOSUPPORT | rustix::io::Errno::ADDRNOTAVAIL))
}
