//! What a daemon is started with.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use flotilla_messages::wire::{SUPPORTED_VERSIONS, Versions};

use crate::daemon::work::WorkSettings;
use crate::net::discovery::Network;
use crate::net::link::{Quotas, Timing};
use crate::trust::Policy;

/// What a daemon is started with. Port 0 is one that the system chooses.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where this host's own runners ask. To be a loopback address: nobody else is answered anyway.
    pub local: SocketAddr,
    /// Where peers' runners bring work.
    pub work: SocketAddr,
    /// Where other daemons tell whom they trust.
    pub status: SocketAddr,
    /// Tests run at a time.
    pub jobs: u16,
    /// How peers are found; `None`: they are not, and this daemon is not found.
    pub discovery: Option<UdpSettings>,
    /// How far trust goes.
    pub trust: Policy,
    /// How many links each port takes.
    pub quotas: Quotas,
    /// How long links between daemons wait.
    pub timing: Timing,
    /// The protocol versions spoken; others than this build's only in tests.
    pub versions: Versions,
    /// How to work for others.
    pub work_settings: WorkSettings,
    /// Where connections to other daemons really go; as dialled, but in tests that cut cables.
    pub route: Route,
}

/// Leads a connection to an address elsewhere.
#[derive(Clone, Default)]
pub struct Route(Option<Rc<dyn Fn(SocketAddr) -> SocketAddr>>);

impl Route {
    /// Through `lead`.
    pub fn through(lead: impl Fn(SocketAddr) -> SocketAddr + 'static) -> Self {
        Self(Some(Rc::new(lead)))
    }

    /// Where a connection to this address goes.
    pub fn lead(&self, address: SocketAddr) -> SocketAddr {
        self.0.as_ref().map_or(address, |lead| lead(address))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "elsewhere" } else { "as dialled" })
    }
}

/// How peers are found over UDP.
#[derive(Clone, Debug)]
pub struct UdpSettings {
    /// Where they meet.
    pub network: Network,
    /// Peers that are told by unicast as well.
    pub static_peers: Vec<SocketAddr>,
    /// Peers remembered at most.
    pub capacity: usize,
}

impl Default for UdpSettings {
    fn default() -> Self {
        Self { network: Network::default(), static_peers: Vec::new(), capacity: 4096 }
    }
}

impl Default for Settings {
    /// Local 127.0.0.1:9991, Work 9992 and Status 9994 on all addresses, UDP 9993; as many jobs as the machine does
    /// at a time; heartbeats every 3 s between daemons, suspected after 7 s, lost after 12 s.
    fn default() -> Self {
        let any = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            local: (Ipv4Addr::LOCALHOST, 9991).into(),
            work: any(9992),
            status: any(9994),
            jobs: u16::try_from(jobs).unwrap_or(u16::MAX),
            discovery: Some(UdpSettings::default()),
            trust: Policy::default(),
            quotas: Quotas::default(),
            timing: Timing {
                heartbeat: Duration::from_secs(3),
                suspected: Duration::from_secs(7),
                lost: Duration::from_secs(12),
                ..Timing::default()
            },
            versions: SUPPORTED_VERSIONS,
            work_settings: WorkSettings::default(),
            route: Route::default(),
        }
    }
}
