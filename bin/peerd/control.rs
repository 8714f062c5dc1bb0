//! `start`, `stop` and `restart`: controls the daemon from another process.

use std::time::{Duration, Instant};

use flotilla_actors::run::daemon_client::Client;
use flotilla_actors::trust::identity::{Home, Identity};
use flotilla_messages::port::local::Question;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::peerd::cli::ServeArgs;
use crate::peerd::config;
use crate::peerd::error::{CommandError, END_TIMEOUT, StopError};
use crate::peerd::launch::{self, Launched};
use crate::peerd::out::print;
use crate::peerd::user;

/// How long the Local port may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often to check whether the daemon has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Starts a daemon in the background.
pub fn start(home: &Home, args: &ServeArgs) -> Result<(), CommandError> {
    user::check(args.allow_root)?;
    let Launched { pid, fingerprint } = launch::launch(home, args)?;
    print(&format!("peerd runs: pid {pid}, {fingerprint}\n"))
}

/// Stops the daemon of this home.
pub fn stop(home: &Home) -> Result<(), CommandError> {
    let pid = end(home)?;
    print(&format!("peerd ended: pid {pid}\n"))
}

/// Stops the daemon, if one runs, and starts a new one.
pub fn restart(home: &Home, args: &ServeArgs) -> Result<(), CommandError> {
    user::check(args.allow_root)?;
    // With a bad configuration, the old daemon keeps running. Warnings are left to the new one.
    config::load(home, std::env::vars_os(), &args.set)?;
    match end(home) {
        Ok(pid) => print(&format!("peerd ended: pid {pid}\n"))?,
        Err(StopError::NotRunning(_)) => {}
        Err(error) => return Err(error.into()),
    }
    start(home, args)
}

/// Asks the daemon to end, and waits until it has ended. Returns its pid.
fn end(home: &Home) -> Result<u32, StopError> {
    let identity = home.identity()?;
    let Some(pid) = home.daemon()? else {
        return Err(StopError::NotRunning(home.path().display().to_string()));
    };
    if let Err(why) = request_shutdown(home, identity) {
        notice!("peerd: warning: {why}; sending SIGTERM to pid {pid}");
        terminate(home, pid)?;
    }
    let limit = Instant::now() + END_TIMEOUT;
    while home.daemon()? == Some(pid) {
        if Instant::now() > limit {
            return Err(StopError::StillRuns { pid });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(pid)
}

/// Sends the request to shut down to the Local port. The error is the reason why that failed.
fn request_shutdown(home: &Home, identity: Identity) -> Result<(), String> {
    let ports = home.ports().map_err(|error| error.to_string())?;
    let Some(ports) = ports else { return Err("the daemon's ports do not answer yet".to_owned()) };
    let asked = async {
        let mut client = Client::connect(ports.local, &identity).await.map_err(|error| error.to_string())?;
        let answer = client.ask(Question::Shutdown).await;
        client.close().await;
        answer.map_err(|error| error.to_string())
    };
    let answer =
        actix::System::new().block_on(async { actix_rt::time::timeout(ANSWER_TIMEOUT, asked).await });
    match answer {
        Ok(asked) => asked.map(|_| ()),
        Err(_) => Err(format!("{} did not answer within {} s", ports.local, ANSWER_TIMEOUT.as_secs())),
    }
}

/// Sends SIGTERM to the daemon, but never to another process that got the same pid later.
fn terminate(home: &Home, pid: u32) -> Result<(), StopError> {
    let failed = |why| StopError::Signal { pid, why };
    let named = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(failed(rustix::io::Errno::SRCH))?;
    let process = match pidfd_open(named, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) if home.daemon()? != Some(pid) => return Ok(()),
        Err(rustix::io::Errno::SRCH) => return Err(StopError::Elsewhere { pid }),
        opened => opened.map_err(failed)?,
    };
    let held = home.held_by(pid);
    // The daemon still runs, so the opened process is the daemon, unless it runs on another machine.
    if home.daemon()? != Some(pid) {
        return Ok(());
    }
    if !held {
        return Err(StopError::Elsewhere { pid });
    }
    match pidfd_send_signal(process, Signal::TERM) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        sent => sent.map_err(failed),
    }
}
