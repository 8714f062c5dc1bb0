//! `start`, `stop` and `restart`: a daemon seen from outside.

use std::time::{Duration, Instant};

use flotilla_actors::run::daemon_client::Client;
use flotilla_actors::trust::identity::{Home, Identity};
use flotilla_messages::port::local::Question;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::peerd::cli::ServeArgs;
use crate::peerd::config;
use crate::peerd::error::{CommandError, END, StopError};
use crate::peerd::launch::{self, Launched};
use crate::peerd::out::print;
use crate::peerd::user;

/// How long the Local port may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Starts a daemon in the background.
pub fn start(home: &Home, args: &ServeArgs) -> Result<(), CommandError> {
    user::check(args.allow_root)?;
    let Launched { pid, fingerprint } = launch::launch(home, args)?;
    print(&format!("peerd runs: pid {pid}, {fingerprint}\n"))
}

/// Ends the daemon of this home.
pub fn stop(home: &Home) -> Result<(), CommandError> {
    let pid = end(home)?;
    print(&format!("peerd ended: pid {pid}\n"))
}

/// Ends the daemon, if one runs, and starts one.
pub fn restart(home: &Home, args: &ServeArgs) -> Result<(), CommandError> {
    user::check(args.allow_root)?;
    // Better the old daemon than none. The new one says what there is to be warned of.
    config::load(home, std::env::vars_os(), &args.set)?;
    match end(home) {
        Ok(pid) => print(&format!("peerd ended: pid {pid}\n"))?,
        Err(StopError::NotRunning(_)) => {}
        Err(error) => return Err(error.into()),
    }
    start(home, args)
}

/// Asks the daemon to end, and waits until it has; its pid.
fn end(home: &Home) -> Result<u32, StopError> {
    let identity = home.identity()?;
    let Some(pid) = home.daemon()? else {
        return Err(StopError::NotRunning(home.path().display().to_string()));
    };
    if let Err(why) = ask(home, identity) {
        notice!("peerd: warning: {why}; sending SIGTERM to pid {pid}");
        terminate(home, pid)?;
    }
    let limit = Instant::now() + END;
    while home.daemon()? == Some(pid) {
        if Instant::now() > limit {
            return Err(StopError::StillRuns { pid });
        }
        std::thread::sleep(LOOK);
    }
    Ok(pid)
}

/// Asks over the Local port; the error says why that did not work.
fn ask(home: &Home, identity: Identity) -> Result<(), String> {
    let ports = home.ports().map_err(|error| error.to_string())?;
    let Some(ports) = ports else { return Err("the daemon's ports do not answer yet".to_owned()) };
    let asked = async {
        let mut client = Client::connect(ports.local, &identity).await.map_err(|error| error.to_string())?;
        let answer = client.ask(Question::Shutdown).await;
        client.close().await;
        answer.map_err(|error| error.to_string())
    };
    let answer = actix::System::new().block_on(async { actix_rt::time::timeout(ANSWER, asked).await });
    match answer {
        Ok(asked) => asked.map(|_| ()),
        Err(_) => Err(format!("{} did not answer within {} s", ports.local, ANSWER.as_secs())),
    }
}

/// Sends SIGTERM to the daemon, and to no process that got its pid after it.
fn terminate(home: &Home, pid: u32) -> Result<(), StopError> {
    let failed = |why| StopError::Signal { pid, why };
    let named = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(failed(rustix::io::Errno::SRCH))?;
    let process = match pidfd_open(named, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) if home.daemon()? != Some(pid) => return Ok(()),
        Err(rustix::io::Errno::SRCH) => return Err(StopError::Elsewhere { pid }),
        opened => opened.map_err(failed)?,
    };
    let held = home.held_by(pid);
    // It still runs now, so it is the process that was opened, if it is one of this machine.
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
