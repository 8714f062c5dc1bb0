//! `peerd run`: runs the daemon, from the claim on its home to its end.

use std::io;
use std::pin::pin;

use actix_rt::signal::unix::{Signal, SignalKind, signal};
use flotilla_actors::daemon::work::WorkSettings;
use flotilla_actors::daemon::{Daemon, DaemonEvent, Settings, UdpSettings};
use flotilla_actors::trust::identity::{Claim, Home, Ports};
use sd_notify::NotifyState;

use crate::peerd::cli::ServeArgs;
use crate::peerd::config::{self, PeerdConfig};
use crate::peerd::error::{CLOSE_TIMEOUT, CommandError, ServeError};
use crate::peerd::logging::{Logs, Terminal};
use crate::peerd::{launch, user};

/// Runs the daemon until a signal or a command ends it.
pub fn run(home: &Home, args: &ServeArgs, background: bool) -> Result<(), CommandError> {
    user::check(args.allow_root)?;
    if background {
        launch::leave_session();
    }
    let PeerdConfig { settings, warnings } = config::load(home, std::env::vars_os(), &args.set)?;
    // Before any file is created: without an identity there is nothing to serve.
    home.identity()?;
    // Before the log is opened: if another daemon runs, the log is in use by it.
    let claim = home.claim().map_err(ServeError::from)?;
    let terminal = if background { Terminal::Warnings } else { Terminal::All };
    let logs = Logs::start(home.path().join(&settings.log.file), &settings.log, terminal)?;
    for warning in warnings {
        log::warn!("{warning}");
    }
    let ended = serve(home, &settings, &claim, &logs, background);
    match &ended {
        Ok(()) => log::info!("ended"),
        // The caller prints the error on the terminal.
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
    let ended = system.block_on(run_daemon(home, settings, claim, logs, background));
    if !matches!(ended, Ok(Shutdown::Graceful)) {
        // Dropping it would wait for its threads, and a stuck thread may be the cause of this end.
        std::mem::forget(system);
    }
    // Otherwise its sockets are closed here, before the claim is released, so that the next daemon gets the same ports.
    ended.map(|_| ())
}

/// How a daemon ended after a request to do so.
enum Shutdown {
    /// All links are closed.
    Graceful,
    /// Without waiting for that.
    Immediate,
}

/// Converts the configuration to the settings of the actors.
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

/// The settings for tests of other machines. This program is also their built-in shell and reaper.
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

async fn run_daemon(
    home: &Home,
    settings: &config::Settings,
    claim: &Claim,
    logs: &Logs,
    background: bool,
) -> Result<Shutdown, CommandError> {
    let mut signals = DaemonSignals::new().map_err(ServeError::Signals)?;
    let started = tokio::select! {
        started = async { Daemon::start(home, daemon_settings(settings).await).await } => started,
        name = signals.end(logs) => {
            log::info!("{name} before the ports answer");
            return Ok(Shutdown::Immediate);
        }
    };
    let mut daemon = started.map_err(ServeError::from)?;
    let at = daemon.addresses();
    claim.publish(&Ports { local: at.local, work: at.work, status: at.status, discovery: at.discovery })?;
    log::info!("this machine is {}", daemon.fingerprint());
    notify_manager(NotifyState::Ready);
    if background {
        launch::report_ready(logs, &daemon.fingerprint());
    }
    let reason = tokio::select! {
        ended = daemon.ended() => match ended {
            DaemonEvent::Asked => "a command",
            DaemonEvent::Died(part) => {
                notify_manager(NotifyState::Stopping);
                return Err(ServeError::Died(part).into());
            }
        },
        name = signals.end(logs) => name,
    };
    log::info!("ends: {reason}");
    notify_manager(NotifyState::Stopping);
    let mut stopped = pin!(daemon.stop("the daemon ends"));
    tokio::select! {
        () = &mut stopped => return Ok(Shutdown::Graceful),
        name = signals.end(logs) => log::warn!("{name} again: ends at once"),
        () = actix_rt::time::sleep(CLOSE_TIMEOUT) => log::warn!("some peers did not take leave in time"),
    }
    Ok(Shutdown::Immediate)
}

/// Reports the state to the service manager, if there is one.
fn notify_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log::warn!("cannot tell the service manager: {error}");
    }
}

/// The signals that the daemon handles.
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

    /// Waits for a signal that ends the daemon, and returns its name. Meanwhile, each SIGHUP reopens the log.
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
