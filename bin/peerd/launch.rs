//! `peerd start`: the daemon in the background, and what the two processes say to one another.
//!
//! The child writes one line to its standard output when its ports answer, `ready PID FINGERPRINT`; before that, its
//! standard error is the command's. Then it lets go of both. If its output ends without that line it has failed, and
//! has said why.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use flotilla_actors::trust::identity::Home;
use flotilla_messages::Fingerprint;

use crate::peerd::cli::ServeArgs;
use crate::peerd::logging::Logs;

/// How long a daemon may take until its ports answer.
const READY: Duration = Duration::from_secs(30);
/// How long its last complaints may take once it is ready or has ended.
const COMPLAINTS: Duration = Duration::from_secs(1);

/// Why there is no daemon in the background.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// No process.
    #[error("cannot start the daemon: {0}")]
    Spawn(#[from] io::Error),
    /// It said why itself.
    #[error("the daemon did not start")]
    Refused(ExitStatus),
    /// It ended without a word.
    #[error("the daemon ended before its ports answered: {0}")]
    Ended(ExitStatus),
    /// It takes too long.
    #[error("the daemon's ports did not answer within {} s; it was ended", READY.as_secs())]
    Late,
}

/// A daemon that is ready.
pub struct Launched {
    /// Its process.
    pub pid: u32,
    /// Whose it is.
    pub fingerprint: String,
}

/// Starts the daemon in the background and waits until its ports answer.
pub fn launch(home: &Home, args: &ServeArgs) -> Result<Launched, LaunchError> {
    let mut command = Command::new(std::env::current_exe()?);
    // The daemon does not stay in this directory.
    command.arg("--home").arg(std::path::absolute(home.path())?).args(["run", "--background"]);
    if args.allow_root {
        command.arg("--allow-root");
    }
    for set in &args.set {
        command.arg("--set").arg(set.to_string());
    }
    // A service manager that waits for this command does not wait for the daemon.
    command.env_remove("NOTIFY_SOCKET");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (lines, line) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = BufReader::new(output).read_line(&mut text);
            // Nobody waits any more: it was late.
            let _ = lines.send(read.map(|_| text));
        });
    }
    let (passed, complaints) = mpsc::channel();
    if let Some(errors) = child.stderr.take() {
        std::thread::spawn(move || {
            let _ = passed.send(pass_on(errors));
        });
    }
    let line = match line.recv_timeout(READY) {
        Ok(line) => line?,
        Err(_) => {
            child.kill()?;
            child.wait()?;
            return Err(LaunchError::Late);
        }
    };
    let said = complaints.recv_timeout(COMPLAINTS).unwrap_or(false);
    match fingerprint_of_ready(&line, child.id()) {
        Some(fingerprint) => Ok(Launched { pid: child.id(), fingerprint: fingerprint.to_owned() }),
        None => {
            let status = child.wait()?;
            Err(if said { LaunchError::Refused(status) } else { LaunchError::Ended(status) })
        }
    }
}

/// The fingerprint in the line by which the daemon with this pid reports that it is ready; `None` for any other line.
fn fingerprint_of_ready(line: &str, pid: u32) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["ready", named, fingerprint] if named == pid.to_string() => Some(fingerprint),
        _ => None,
    }
}

/// Copies the daemon's complaints to this command's; whether there were any.
fn pass_on(mut errors: impl Read) -> bool {
    let mut said = false;
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        said = true;
        // The daemon's log has them too.
        let _ = io::stderr().write_all(buffer.get(..count).unwrap_or_default());
    }
    said
}

/// In the daemon: leaves the terminal's session, so that its end and its Ctrl-C are no concern.
pub fn leave_session() {
    // It fails where this process leads a session already, which is as good.
    let _ = rustix::process::setsid();
}

/// In the daemon: says that it is ready, and lets go of the command that started it.
pub fn tell_ready(logs: &Logs, fingerprint: &Fingerprint) {
    logs.detach();
    let told = (|| -> io::Result<()> {
        let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        std::env::set_current_dir("/")?;
        // First this, so that the command has all complaints when it is told.
        rustix::stdio::dup2_stderr(&nothing)?;
        let mut out = io::stdout().lock();
        let told = writeln!(out, "ready {} {fingerprint}", std::process::id()).and_then(|()| out.flush());
        rustix::stdio::dup2_stdout(&nothing)?;
        told
    })();
    if let Err(error) = told {
        log::warn!("cannot tell the command that started this daemon: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_ready_when_it_names_itself_and_its_key() {
        assert_eq!(fingerprint_of_ready("ready 17 ab12\n", 17), Some("ab12"));
        for line in ["", "ready 18 ab12\n", "ready 17\n", "ready 17 ab12 more\n", "steady 17 ab12\n"] {
            assert_eq!(fingerprint_of_ready(line, 17), None, "{line:?}");
        }
    }

    #[test]
    fn a_daemon_that_complained_is_told_from_one_that_did_not() {
        assert!(pass_on(&b"(a complaint of a daemon, made by a test)\n"[..]));
        assert!(!pass_on(&b""[..]));
    }
}
