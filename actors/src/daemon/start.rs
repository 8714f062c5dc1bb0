//! From a home directory to open ports, and back.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use actix::{Actor, Addr, Arbiter, AsyncContext, Context, Recipient};
use flotilla_messages::Fingerprint;
use flotilla_messages::wire::{Hello, Limits};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::event::DaemonEvent;
use super::load::average;
use super::settings::Settings;
use crate::daemon::local::{self, About, Facts, LocalHandler};
use crate::daemon::registry::{Found, PeerRegistry};
use crate::daemon::status::{self, Dialler, StatusHandler};
use crate::daemon::work::{self, StorePaths, WorkHandler};
use crate::execution::confine;
use crate::kit::{DeathWatch, unix_seconds};
use crate::net::discovery::{Announced, Discovery, DiscoveryError, Leave, List, OwnState, Setup};
use crate::net::link::{
    self, Admission, LinkNews, Listening, Open, Quotas, Tls, TlsError, WireMessage, listen,
};
use crate::trust::identity::{Home, HomeError};
use crate::trust::{Ledger, Quit, TrustStore, TrustedKeys};

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
        /// Where.
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
        for warning in &warnings {
            log::warn!(target: "trust", "{warning}");
        }
        let boot = home.next_boot(SystemTime::now())?;
        let identity = ledger.identity();
        let (fingerprint, key) = (identity.fingerprint(), identity.signing_key().clone());
        let trusted = TrustedKeys::default();
        let to_peers = Tls::new(&key, Admission::AnyKey(trusted.clone()))?;
        let to_workers = Tls::new(&key, Admission::TrustedKeys(trusted.clone()))?;
        let to_oneself = Tls::new(&key, Admission::TrustedKeys(TrustedKeys::from_iter([fingerprint])))?;

        // Addresses first: these actors know one another.
        let registry = Context::<PeerRegistry>::new();
        let status = Context::<StatusHandler>::new();
        let local = Context::<LocalHandler>::new();
        let work = Context::<WorkHandler>::new();
        let open = Open::default();
        let ports = Ports { settings: &settings, open: &open };
        let talk = ports.settings(STATUS_LIMITS);
        let status_port =
            ports.open("Status", settings.status, &to_peers, &talk, status.address().recipient());
        let (status_port, status_address) = status_port.await?;
        let demand = Rc::new(link::Settings {
            timing: link::Timing::default(),
            outgoing: WORK_OUTGOING,
            ..(*ports.settings(Limits::ESTABLISHED)).clone()
        });
        let work_port = ports.open("Work", settings.work, &to_workers, &demand, work.address().recipient());
        let (work_port, work_address) = work_port.await?;
        let orders = Rc::new(link::Settings {
            timing: link::Timing::default(),
            // A line for each `peerd peers` is none that anybody looks for.
            level: log::Level::Debug,
            ..(*ports.settings(LOCAL_LIMITS)).clone()
        });
        let local_port =
            ports.open("Local", settings.local, &to_oneself, &orders, local.address().recipient());
        let (local_port, local_address) = local_port.await?;

        let (ending, ended) = unbounded_channel();
        let watch = |name| DeathWatch::new(name, ending.clone());
        let state = OwnState { jobs: settings.jobs, serial: 0 };
        let discovery = match settings.discovery {
            None => None,
            Some(udp) => Some(Discovery::start(Setup {
                key,
                announced: Announced {
                    boot,
                    protocol: (settings.versions.oldest, settings.versions.newest),
                    work_port: work_address.port(),
                    status_port: status_address.port(),
                },
                state,
                network: udp.network,
                static_peers: udp.static_peers,
                capacity: udp.capacity,
                seed: boot,
                notices: registry.address().recipient(),
            })?),
        };

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
            status_port,
            Dialler { tls: to_peers, settings: talk, route: settings.route },
            trust.clone(),
            reports,
            watch("StatusHandler"),
        ));
        let shelves = StorePaths {
            blobs: home.path().join("blobs"),
            work: home.path().join("work"),
            limit: settings.work_settings.store_limit,
            age: settings.work_settings.workspace_age,
        };
        let work_facts = work::Facts {
            own: fingerprint,
            trusted: worker_keys,
            jobs: settings.jobs,
            shelves,
            settings: settings.work_settings,
            dialler: work::Dialler { tls: to_workers.clone(), settings: Rc::clone(&demand) },
        };
        let guests = local.address().recipient();
        let work = work.run(WorkHandler::new(work_port, work_facts, guests, watch("WorkHandler")));
        let facts = Facts {
            trust: trust.clone(),
            registry: registry.clone(),
            status: status.clone(),
            work: work.clone(),
            average,
        };
        warnings.extend(confine::extent().warning());
        let about = About {
            fingerprint,
            since: SystemTime::now(),
            jobs: settings.jobs,
            warnings,
            durations: home.path().join("data/durations.sqlite"),
        };
        let load = status.clone().recipient();
        let local = local.run(LocalHandler::new(local_port, about, facts, load, watch("LocalHandler")));
        if let Some(discovery) = &discovery {
            registry.do_send(Found(discovery.clone()));
        }
        let udp = match &discovery {
            Some(discovery) => discovery.send(List).await.ok().map(|census| census.unicast_port),
            None => None,
        };
        let addresses =
            Addresses { local: local_address, work: work_address, status: status_address, discovery: udp };
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
            let _ = discovery.send(Leave).await;
        }
        let _ = self.work.send(work::Stop { reason: reason.clone() }).await;
        let _ = self.status.send(status::Part { reason: reason.clone() }).await;
        let _ = self.local.send(local::Part { reason }).await;
        // A peer that does not listen is not waited for.
        let _ = tokio::time::timeout(LAST_WORDS, self.open.drained()).await;
        let _ = self.trust.send(Quit).await;
        self.arbiter.stop();
        let arbiter = self.arbiter;
        let _ = tokio::task::spawn_blocking(move || arbiter.join()).await;
    }
}

/// What all listeners have in common.
struct Ports<'a> {
    settings: &'a Settings,
    open: &'a Open,
}

impl Ports<'_> {
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
        settings: &Rc<link::Settings>,
        owner: Recipient<LinkNews<M>>,
    ) -> Result<(Listening, SocketAddr), StartError> {
        let quotas = self.settings.quotas;
        let at = async |address, quotas: Quotas| {
            listen(address, tls.clone(), Rc::clone(settings), quotas, owner.clone()).await
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
        Ok((listening, address))
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(code, Some(rustix::io::Errno::AFNOSUPPORT | rustix::io::Errno::ADDRNOTAVAIL))
}
