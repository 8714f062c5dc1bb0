//! Finds the peers that may run tests of this run, or the reason why there is none.

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flotilla_actors::content::engine::survey;
use flotilla_actors::content::inputs::{Placed, Selection};
use flotilla_actors::daemon::Settings as Defaults;
use flotilla_actors::kit::unix_seconds;
use flotilla_actors::net::link::Timing;
use flotilla_actors::run::daemon_client::{Client, ConnectError, DaemonSession};
use flotilla_actors::run::history::DurationEstimates;
use flotilla_actors::trust::identity::{Home, Identity};

use flotilla_actors::run::PeersOptions;
use flotilla_actors::run::proxy::Target;
use flotilla_actors::trust::{Ledger, Policy};
use flotilla_messages::Fingerprint;
use flotilla_messages::packet::{Elsewhere, Engine, Native};
use flotilla_messages::port::local::{PeerView, Question, TestDuration};
use flotilla_suites::{Inputs, Outside, Products, RESERVED};

use tokio::task::JoinHandle;

use crate::runner::settings::Settings;

/// How long the daemon may take to answer; tests then start without it.
const DAEMON_TIMEOUT: Duration = Duration::from_millis(500);
/// How long the first test waits for durations from the daemon.
const DURATIONS_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a name server may take to answer.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a run lasts before it asks peers, in seconds; the default of `--network-min-seconds`.
const DEFAULT_MIN_SECONDS: u32 = 3;

/// The other machines that a run can use.
#[derive(Default)]
pub struct Network {
    /// The peers, if any may be used.
    pub peers: Option<PeersOptions>,
    /// Why none may be used, if the user should know.
    pub why_not: Option<String>,
    /// Trusted peers that the daemon knows but cannot use now, with the reasons.
    pub unusable: Vec<(String, String)>,
    /// The session with the local daemon, which holds this run's claim on job slots and reports changes of peers.
    daemon: Option<(DaemonSession, JoinHandle<()>)>,
}

/// The parts of a run that the search for peers needs.
pub struct Request<'a> {
    /// The home directory, if `--home` names one.
    pub home: Option<PathBuf>,
    /// The run's settings.
    pub settings: &'a Settings,
    /// The builds under test, with their tests.
    pub tree: &'a Products,
    /// The tree's root.
    pub root: &'a Path,
    /// The number of tests that run at a time on this machine.
    pub jobs: usize,
}

impl Network {
    /// Looks for peers, and claims job slots from the local daemon.
    pub async fn look(request: &Request<'_>) -> Self {
        let mut network = Self::default();
        if request.settings.no_network {
            return network;
        }
        match network.find_peers(request).await {
            Ok(peers) => network.peers = peers,
            Err(why) => network.why_not = Some(why),
        }
        network
    }

    /// Whether the local daemon answers.
    pub fn has_daemon(&self) -> bool {
        self.daemon.is_some()
    }

    /// Asks the daemon how long tests take, if this tree's history has no durations. Waits for at most 50 ms.
    pub async fn learn(&self, known: &DurationEstimates, configuration: &str) {
        let Some((daemon, _)) = &self.daemon else { return };
        if !known.wait(Duration::ZERO) || !known.lacks_all() {
            return;
        }
        match tokio::time::timeout(DURATIONS_TIMEOUT, daemon.durations(configuration)).await {
            Ok(Ok(durations)) => known.set_told(durations),
            Ok(Err(error)) => log::info!("durations are not known from peerd: {error}"),
            Err(_) => log::info!("durations are not known from peerd: it takes too long"),
        }
    }

    /// Reports durations to the daemon, with their configuration, and releases the claimed slots.
    pub async fn close(self, took: Option<(String, Vec<TestDuration>)>) {
        // The run's own copies of the session are already dropped.
        drop(self.peers);
        let Some((daemon, closed)) = self.daemon else { return };
        if let Some((configuration, tests)) = took {
            daemon.inform_durations(&configuration, &tests);
        }
        drop(daemon);
        let _ = tokio::time::timeout(DAEMON_TIMEOUT, closed).await;
    }

    /// Finds the peers; `None` if the user does not expect any.
    async fn find_peers(&mut self, request: &Request<'_>) -> Result<Option<PeersOptions>, String> {
        let settings = request.settings;
        let asked_for = settings.network || !settings.peer.is_empty() || request.jobs == 0;
        let named = request.home.is_some();
        let Some(home) = Home::find(request.home.clone()) else {
            return if asked_for { Err("there is no home directory".into()) } else { Ok(None) };
        };
        if !home.key_file().exists() {
            // Without an identity there are no peers. An error only if the user asked for peers or named a home.
            let hint = || format!("there is no identity in {}: peerd setup makes one", home.path().display());
            return if asked_for || named { Err(hint()) } else { Ok(None) };
        }
        let identity = home.identity().map_err(|error| error.to_string())?;
        let (targets, trusted) = if settings.peer.is_empty() {
            match self.ask_daemon(&home, &identity, request.jobs).await {
                Ok(peers) => {
                    self.unusable = peers.iter().filter_map(unusable).collect();
                    (in_dialling_order(&peers).filter_map(usable).collect(), Vec::new())
                }
                Err(DaemonUnavailable { not_running: true, .. }) if !asked_for => return Ok(None),
                Err(DaemonUnavailable { reason, .. }) => return Err(reason),
            }
        } else {
            // Named peers need no daemon. But other machines may run tests through it, so slots are claimed.
            if let Err(DaemonUnavailable { reason, .. }) =
                self.ask_daemon(&home, &identity, request.jobs).await
            {
                log::info!("no slots are claimed: {reason}");
            }
            let mut targets = Vec::new();
            for peer in &settings.peer {
                targets.push(named_peer(peer).await?);
            }
            (targets, trusted(&home)?)
        };
        if targets.is_empty() {
            let why = |(peer, reason): &(String, String)| format!("{peer}: {reason}");
            let reasons: Vec<String> = self.unusable.iter().map(why).collect();
            return match reasons.as_slice() {
                // Trusted peers are on the network, so the user may expect help from them.
                [_, ..] => Err(format!("no peer can be used now: {}", reasons.join("; "))),
                [] if asked_for => Err("no peer can be used now".into()),
                [] => Ok(None),
            };
        }
        if !asked_for && !cfg!(target_os = "linux") {
            return Ok(None);
        }
        let inputs = request.tree.inputs().map_err(|bound| bound.to_string())?;
        let (engine, libraries) = engine(request.root, &inputs)?;
        let at_once = !settings.peer.is_empty() || request.jobs == 0;
        let default = if at_once { 0 } else { DEFAULT_MIN_SECONDS };
        Ok(Some(PeersOptions {
            identity: Arc::new(identity),
            peers: targets,
            trusted,
            after: Duration::from_secs(settings.network_min_seconds.unwrap_or(default).into()),
            engine,
            inputs: selection(request.root, inputs, libraries, &settings.inputs),
            cache: home.path().join("data/inputs"),
            env: variables(&settings.env),
            timing: Timing::default(),
            daemon: self.daemon.as_ref().map(|(daemon, _)| daemon.clone()),
        }))
    }

    /// Asks the local daemon for peers, and claims slots.
    async fn ask_daemon(
        &mut self,
        home: &Home,
        identity: &Identity,
        jobs: usize,
    ) -> Result<Vec<PeerView>, DaemonUnavailable> {
        let other = |reason: String| DaemonUnavailable { not_running: false, reason };
        let address = match home.ports() {
            Ok(ports) => ports.map_or(Defaults::default().local, |ports| ports.local),
            Err(error) => return Err(other(error.to_string())),
        };
        let asking = async {
            let mut client = Client::connect(address, identity).await?;
            let slots = u16::try_from(jobs).unwrap_or(u16::MAX);
            if let Err(error) = client.ask(Question::ClaimSlots { slots }).await {
                log::info!("no slots are claimed: {error}");
            }
            let peers = client.peers().await;
            Ok((client, peers))
        };
        match tokio::time::timeout(DAEMON_TIMEOUT, asking).await {
            Ok(Ok((client, peers))) => {
                let known = peers.as_deref().unwrap_or_default();
                self.daemon = Some(DaemonSession::start(client, known));
                peers.map_err(|error| other(error.to_string()))
            }
            Ok(Err(error @ ConnectError::Nobody { .. })) => {
                Err(DaemonUnavailable { not_running: true, reason: error.to_string() })
            }
            Ok(Err(error @ ConnectError::OtherIdentity { .. })) => Err(other(other_identity(home, &error))),
            Ok(Err(error)) => Err(other(error.to_string())),
            Err(_) => Err(other(no_answer(address))),
        }
    }
}

/// Why the daemon did not return its peers.
struct DaemonUnavailable {
    /// No daemon runs.
    not_running: bool,
    reason: String,
}

/// Peers in the order in which they are dialled: the least busy first; of equally busy ones, the fastest.
fn in_dialling_order(peers: &[PeerView]) -> impl Iterator<Item = &PeerView> {
    let mut peers: Vec<&PeerView> = peers.iter().collect();
    peers.sort_by_key(|peer| {
        let load = peer.load.unwrap_or_default();
        // Clients that already wait there are served first, so they count most.
        let busy = u32::from(load.running) + 1000 * u32::from(load.waiting);
        (busy, Reverse(peer.performance.unwrap_or(0)), Reverse(peer.jobs))
    });
    peers.into_iter()
}

/// The target for a peer that the daemon reports as usable.
fn usable(peer: &PeerView) -> Option<Target> {
    if peer.obstacle.is_some() {
        return None;
    }
    let address: SocketAddr = peer.address.as_deref()?.parse().ok()?;
    Some(Target { name: shown(address), address, key: Some(peer.fingerprint) })
}

/// The name and the reason for a peer that is present and trusted but cannot be used. Absent peers are not worth a line
/// in each run.
fn unusable(peer: &PeerView) -> Option<(String, String)> {
    let reason = peer.obstacle.clone().filter(|_| peer.present && !peer.chain.is_empty())?;
    let short = || peer.fingerprint.to_string().chars().take(16).collect();
    let address = peer.address.as_deref().and_then(|address| address.parse().ok());
    Some((address.map_or_else(short, shown), reason))
}

/// An address as it is shown: without the port if that is the default.
fn shown(address: SocketAddr) -> String {
    if address.port() == default_port() { address.ip().to_string() } else { address.to_string() }
}

/// A peer that was named on the command line.
async fn named_peer(name: &str) -> Result<Target, String> {
    let target = |address| Target { name: name.to_owned(), address, key: None };
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    if let Ok(address) = name.parse() {
        return Ok(target(address));
    }
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(target((ip, default_port()).into()));
    }
    let cannot = |why: &str| format!("cannot look up {name} (--peer): {why}");
    let (host, port) = match name.rsplit_once(':') {
        Some((host, port)) => {
            (host, port.parse().map_err(|_| cannot(&format!("'{port}' is no port number")))?)
        }
        None => (name, default_port()),
    };
    match tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(mut found)) => found.next().map(target).ok_or_else(|| cannot("it has no address")),
        Ok(Err(error)) => Err(cannot(&error.to_string())),
        Err(_) => Err(cannot("no answer in time")),
    }
}

/// The keys that this machine trusts, read from disk.
fn trusted(home: &Home) -> Result<Vec<Fingerprint>, String> {
    let (ledger, warnings) =
        Ledger::open(home, Policy::default(), unix_seconds()).map_err(|error| error.to_string())?;
    for warning in warnings {
        log::warn!("{warning}");
    }
    Ok(ledger.core().trusted().copied().collect())
}

fn default_port() -> u16 {
    Defaults::default().work.port()
}

/// What the engines need from a peer, and the libraries that are sent with them.
fn engine(root: &Path, inputs: &Inputs) -> Result<(Engine, Vec<Placed>), String> {
    if !inputs.native {
        return Ok((Engine::Builtin, Vec::new()));
    }
    let environment = library_path(root);
    let survey = survey(&inputs.programs, &environment).map_err(|error| format!("cannot {error}"))?;
    if let (Some(script), false) = (&survey.untold, environment.is_empty()) {
        let script = script.display();
        return Err(format!(
            "LD_LIBRARY_PATH is set, and which libraries {script} loads cannot be told: it is a script"
        ));
    }
    let place = Path::new(RESERVED).join("lib");
    let libraries: Vec<_> = survey
        .libraries
        .into_iter()
        .map(|(name, source)| Placed { source, place: place.join(name) })
        .collect();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut elsewhere: Vec<Elsewhere> = Vec::new();
    for Outside { source, place } in &inputs.outside {
        let (Some(dir), Some(place)) = (source.parent(), place.parent()) else { continue };
        let found = Elsewhere { place: text(place), path: text(dir) };
        if !elsewhere.contains(&found) {
            elsewhere.push(found);
        }
    }
    let native = Native {
        versions: survey.versions,
        level: survey.level,
        probes: inputs.probes.clone(),
        libraries: if libraries.is_empty() { Vec::new() } else { vec![text(&place)] },
        elsewhere,
        ..Native::here()
    };
    Ok((Engine::Native(native), libraries))
}

/// The directories of LD_LIBRARY_PATH. Relative ones start at the root, where tests run.
fn library_path(root: &Path) -> Vec<PathBuf> {
    let value = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    if value.is_empty() {
        return Vec::new();
    }
    std::env::split_paths(&value).map(|dir| root.join(dir)).collect()
}

fn selection(root: &Path, inputs: Inputs, libraries: Vec<Placed>, more: &[PathBuf]) -> Selection {
    let engine = |place: PathBuf| Placed { source: root.join(&place), place };
    let outside = |Outside { source, place }| Placed { source, place };
    Selection {
        root: root.to_owned(),
        chosen: inputs.chosen.into_iter().chain(more.iter().cloned()).collect(),
        placed: inputs
            .engines
            .into_iter()
            .map(engine)
            .chain(inputs.outside.into_iter().map(outside))
            .chain(libraries)
            .collect(),
    }
}

/// The variables that tests on peers get: those that affect their output or that of sanitizers, and those of `--env`.
fn variables(names: &[String]) -> Vec<(String, String)> {
    let is_sent = |name: &str| {
        name.starts_with("LC_")
            || name.ends_with("SAN_OPTIONS")
            || name.ends_with("_SYMBOLIZER_PATH")
            || ["LANG", "TZ"].contains(&name)
            || names.iter().any(|asked| asked == name)
    };
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let env = crate::runner::environment::of_tests().into_iter().filter_map(text);
    env.filter(|(name, _)| is_sent(name)).collect()
}

fn other_identity(home: &Home, error: &ConnectError) -> String {
    format!("{error} (this home is {})", home.path().display())
}

fn no_answer(address: SocketAddr) -> String {
    format!("the peerd at {address} did not answer within {} ms", DAEMON_TIMEOUT.as_millis())
}

#[cfg(test)]
mod tests {
    use flotilla_messages::port::local::LinkView;
    use flotilla_messages::port::status::Load;

    use super::*;

    #[test]
    fn free_peers_come_before_busy_ones_and_fast_ones_before_slow_ones() {
        let peer = |number: u8, running, waiting, performance| PeerView {
            fingerprint: Fingerprint([number; 32]),
            address: None,
            jobs: Some(4),
            platform: None,
            software: None,
            load: Some(Load { running, waiting, ..Load::default() }),
            chain: Vec::new(),
            trusts_me: Vec::new(),
            barred: false,
            heard: None,
            present: true,
            link: LinkView::None,
            obstacle: None,
            performance,
        };
        let mut peers = vec![
            peer(1, 4, 2, Some(9000)),
            peer(2, 4, 0, None),
            peer(3, 0, 0, None),
            peer(4, 0, 0, Some(800)),
            peer(5, 0, 0, Some(4000)),
        ];
        peers[2].load = None;
        let order: Vec<u8> = in_dialling_order(&peers).map(|peer| peer.fingerprint.0[0]).collect();
        assert_eq!(order, [5, 4, 3, 2, 1]);
    }
}
