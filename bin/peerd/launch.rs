//! `peerd start`: starts the daemon in the background, and waits until it is ready.
//!
//! The child writes the line `ready PID FINGERPRINT` to its standard output when its ports answer. Until then, its
//! standard error is copied to that of the command. Then it closes both. If its output ends without that line, it has
//! failed, and its standard error has the reason.

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
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for the rest of its standard error once it is ready or has ended.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the daemon could not be started in the background.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The process cannot be started.
    #[error("cannot start the daemon: {0}")]
    Spawn(#[from] io::Error),
    /// It printed the reason itself.
    #[error("the daemon did not start")]
    Refused(ExitStatus),
    /// It ended without any message.
    #[error("the daemon ended before its ports answered: {0}")]
    Ended(ExitStatus),
    /// Its ports did not answer in time.
    #[error("the daemon's ports did not answer within {} s; it was ended", READY_TIMEOUT.as_secs())]
    Late,
}

/// A daemon that is ready.
pub struct Launched {
    /// Its process id.
    pub pid: u32,
    /// The fingerprint of its identity.
    pub fingerprint: String,
}

/// Starts the daemon in the background and waits until its ports answer.
pub fn launch(home: &Home, args: &ServeArgs) -> Result<Launched, LaunchError> {
    let mut command = Command::new(std::env::current_exe()?);
    // Absolute, as the daemon leaves the current directory.
    command.arg("--home").arg(std::path::absolute(home.path())?).args(["run", "--background"]);
    if args.allow_root {
        command.arg("--allow-root");
    }
    for set in &args.set {
        command.arg("--set").arg(set.to_string());
    }
    // A service manager that started this command waits for it, not for the daemon.
    command.env_remove("NOTIFY_SOCKET");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (lines, line) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = BufReader::new(output).read_line(&mut text);
            // Fails if the receiver is gone: the line came too late.
            let _ = lines.send(read.map(|_| text));
        });
    }
    let (copied, copy_result) = mpsc::channel();
    if let Some(errors) = child.stderr.take() {
        std::thread::spawn(move || {
            let _ = copied.send(copy_to_stderr(errors));
        });
    }
    let line = match line.recv_timeout(READY_TIMEOUT) {
        Ok(line) => line?,
        Err(_) => {
            child.kill()?;
            child.wait()?;
            return Err(LaunchError::Late);
        }
    };
    let has_messages = copy_result.recv_timeout(STDERR_TIMEOUT).unwrap_or(false);
    match fingerprint_of_ready(&line, child.id()) {
        Some(fingerprint) => Ok(Launched { pid: child.id(), fingerprint: fingerprint.to_owned() }),
        None => {
            let status = child.wait()?;
            Err(if has_messages { LaunchError::Refused(status) } else { LaunchError::Ended(status) })
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

/// Copies the daemon's standard error to that of this command. Returns whether there was any text.
fn copy_to_stderr(mut errors: impl Read) -> bool {
    let mut any = false;
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        any = true;
        // An error is ignored: the daemon's log has the messages too.
        let _ = io::stderr().write_all(buffer.get(..count).unwrap_or_default());
    }
    any
}

/// In the daemon: leaves the terminal's session, so that neither its end nor its Ctrl-C reaches the daemon.
pub fn leave_session() {
    // Fails if this process already leads a session, which serves the same purpose.
    let _ = rustix::process::setsid();
}

/// In the daemon: reports to the command that started it that it is ready, and detaches from it.
pub fn report_ready(logs: &Logs, fingerprint: &Fingerprint) {
    logs.detach();
    let reported = (|| -> io::Result<()> {
        let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        std::env::set_current_dir("/")?;
        // Standard error is closed first, so that the command has all messages when it reads the line.
        rustix::stdio::dup2_stderr(&nothing)?;
        let mut out = io::stdout().lock();
        let written = writeln!(out, "ready {} {fingerprint}", std::process::id()).and_then(|()| out.flush());
        rustix::stdio::dup2_stdout(&nothing)?;
        written
    })();
    if let Err(error) = reported {
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
        assert!(copy_to_stderr(&b"(a complaint of a daemon, made by a test)\n"[..]));
        assert!(!copy_to_stderr(&b""[..]));
    }
}
