//! `peerd run`: the daemon itself, from its claim on the home to its last word.

use std::io;
use std::pin::pin;

use actix_rt::signal::unix::{Signal, SignalKind, signal};
use flotilla_actors::daemon::work::WorkSettings;
use flotilla_actors::daemon::{Daemon, DaemonEvent, Settings, UdpSettings};
use flotilla_actors::trust::identity::{Claim, Home, Ports};
use sd_notify::NotifyState;

use crate::peerd::cli::ServeArgs;
use crate::peerd::config::{self, PeerdConfig};
use crate::peerd::error::{CommandError, LAST_WORDS, ServeError};
use crate::peerd::logging::{Logs, Terminal};
use crate::peerd::{launch, user};

/// Serves until it is told to end.
pub fn run(home: &Home, args: &ServeArgs, background: bool) -> Result<(), CommandError> {
    user::check(args.allow_root)?;
    if background {
        launch::leave_session();
    }
    let PeerdConfig { settings, warnings } = config::load(home, std::env::vars_os(), &args.set)?;
    // Before anything is made: without an identity there is nothing to serve.
    home.identity()?;
    // Before the log is opened, which is the running daemon's if there is one.
    let claim = home.claim().map_err(ServeError::from)?;
    let terminal = if background { Terminal::Warnings } else { Terminal::All };
    let logs = Logs::start(home.path().join(&settings.log.file), &settings.log, terminal)?;
    for warning in warnings {
        log::warn!("{warning}");
    }
    let ended = serve(home, &settings, &claim, &logs, background);
    match &ended {
        Ok(()) => log::info!("ended"),
        // The terminal gets it from the caller.
        Err(error) => {
            logs.detach();
            log::error!("{error}");
        }
    }
    ended
}

fn serve(
    home: &Home,
    settings: &config::Settings,
    claim: &Claim,
    logs: &Logs,
    background: bool,
) -> Result<(), CommandError> {
    log::info!("peerd {} starts: pid {}", env!("CARGO_PKG_VERSION"), std::process::id());
    if let Some(pid) = claim.stale() {
        log::warn!("the daemon before this one, pid {pid}, did not end in order");
    }
    let system = actix::System::new();
    let ended = system.block_on(live(home, settings, claim, logs, background));
    if !matches!(ended, Ok(Parting::InOrder)) {
        // Dropped, it would wait for its threads, one of which may be why this is not in order.
        std::mem::forget(system);
    }
    // Else its sockets are closed now, before the claim is given up: the next daemon gets the same ports.
    ended.map(|_| ())
}

/// How a daemon that was told to end does so.
enum Parting {
    /// All is said and closed.
    InOrder,
    /// It does not wait for that.
    AtOnce,
}

/// What is configured, as the actors want it.
async fn daemon_settings(settings: &config::Settings) -> Settings {
    let discovery = if settings.discovery.enabled {
        let (static_peers, warnings) = config::resolve(&settings.discovery.peers).await;
        for warning in warnings {
            log::warn!("{warning}");
        }
        let capacity = settings.discovery.capacity.get();
        Some(UdpSettings { network: config::udp(&settings.discovery), static_peers, capacity })
    } else {
        None
    };
    Settings {
        local: settings.local.address,
        work: settings.work.address,
        status: settings.status.address,
        jobs: settings.work.jobs(),
        discovery,
        trust: settings.trust.policy(),
        work_settings: work_settings(&settings.work),
        ..Settings::default()
    }
}

/// How tests of other machines run: the built-in shell and the reaper are this program.
fn work_settings(work: &config::Work) -> WorkSettings {
    let own = WorkSettings {
        store_limit: work.store_bytes(),
        workspace_age: work.workspace_age(),
        env: work.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        ..WorkSettings::default()
    };
    match std::env::current_exe() {
        Ok(program) => {
            let words = |word: &str| vec![program.clone().into_os_string(), word.into()];
            WorkSettings {
                builtin: words(crate::peerd::SHELL),
                reaper: Some(words(crate::peerd::REAPER)),
                ..own
            }
        }
        Err(error) => {
            log::warn!("cannot find this program's own path: no built-in shell, no reaper: {error}");
            own
        }
    }
}

async fn live(
    home: &Home,
    settings: &config::Settings,
    claim: &Claim,
    logs: &Logs,
    background: bool,
) -> Result<Parting, CommandError> {
    let mut signals = DaemonSignals::new().map_err(ServeError::Signals)?;
    let started = tokio::select! {
        started = async { Daemon::start(home, daemon_settings(settings).await).await } => started,
        name = signals.end(logs) => {
            log::info!("{name} before the ports answer");
            return Ok(Parting::AtOnce);
        }
    };
    let mut daemon = started.map_err(ServeError::from)?;
    let at = daemon.addresses();
    claim.publish(&Ports { local: at.local, work: at.work, status: at.status, discovery: at.discovery })?;
    log::info!("this machine is {}", daemon.fingerprint());
    tell_manager(NotifyState::Ready);
    if background {
        launch::tell_ready(logs, &daemon.fingerprint());
    }
    let reason = tokio::select! {
        ended = daemon.ended() => match ended {
            DaemonEvent::Asked => "a command",
            DaemonEvent::Died(part) => {
                tell_manager(NotifyState::Stopping);
                return Err(ServeError::Died(part).into());
            }
        },
        name = signals.end(logs) => name,
    };
    log::info!("ends: {reason}");
    tell_manager(NotifyState::Stopping);
    let mut stopped = pin!(daemon.stop("the daemon ends"));
    tokio::select! {
        () = &mut stopped => return Ok(Parting::InOrder),
        name = signals.end(logs) => log::warn!("{name} again: ends at once"),
        () = actix_rt::time::sleep(LAST_WORDS) => log::warn!("some peers did not take leave in time"),
    }
    Ok(Parting::AtOnce)
}

/// Tells the service manager, if there is one.
fn tell_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log::warn!("cannot tell the service manager: {error}");
    }
}

/// What others send this process.
struct DaemonSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl DaemonSignals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one that ends the daemon; its name. Reopens the log meanwhile as often as it is told to.
    async fn end(&mut self, logs: &Logs) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hangup.recv() => logs.reopen(),
            }
        }
    }
}
