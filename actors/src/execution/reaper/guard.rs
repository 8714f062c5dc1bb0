//! The runner's side.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use crate::execution::marker::{self, RunId};

/// Why there is no reaper.
#[derive(Debug, thiserror::Error)]
pub enum ReaperError {
    /// This system has no way to find a run's processes.
    #[error("ending leftover processes after a kill is not supported on this system")]
    Unsupported,
    /// No command was given.
    #[error("no command starts the reaper")]
    NoCommand,
    /// It cannot be started.
    #[error("cannot start the reaper {}: {source}", program.display())]
    Spawn {
        /// Its program.
        program: std::path::PathBuf,
        /// What the system reports.
        source: std::io::Error,
    },
    /// It was started, and did not report in time.
    #[error("the reaper did not start: it said nothing within {0:?}")]
    Silent(Duration),
}

/// A reaper at work. When this value is dropped or its process dies, the reaper kills the run's processes.
pub struct ReaperGuard {
    // Its standard input stays in here: the pipe's only write end, closed on exec as all of std's descriptors are.
    reaper: Child,
    report: Option<ChildStdout>,
}

impl ReaperGuard {
    /// Starts the reaper of a run: `command`'s words and the run's id, which make that process call [`super::main`].
    ///
    /// # Errors
    /// [`ReaperError`].
    pub fn spawn(command: &[OsString], run: &RunId) -> Result<Self, ReaperError> {
        if !cfg!(target_os = "linux") {
            return Err(ReaperError::Unsupported);
        }
        let (program, args) = command.split_first().ok_or(ReaperError::NoCommand)?;
        let mut reaper = Command::new(program)
            .args(args)
            .arg(run.to_string())
            // A runner that is itself somebody's test carries a marker: its reaper must not die with it.
            .env_remove(marker::VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ReaperError::Spawn { program: program.into(), source })?;
        let report = reaper.stdout.take();
        Ok(Self { reaper, report })
    }

    /// Its process, a child of the thread that called [`ReaperGuard::spawn`].
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.reaper)
    }

    /// Waits until the reaper is in a session of its own, where no signal meant for the runner's group reaches it.
    ///
    /// # Errors
    /// [`ReaperError::Silent`] when it does not report within `patience`.
    pub fn wait_ready(&mut self, patience: Duration) -> Result<(), ReaperError> {
        let Some(mut report) = self.report.take() else { return Ok(()) };
        let until = Instant::now() + patience;
        let mut reported = 0;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(rest).ok();
            let mut list = [PollFd::new(&report, PollFlags::IN)];
            match poll(&mut list, timeout.as_ref()) {
                Ok(0) => break,
                Ok(_) => {
                    reported = report.read(&mut [0]).unwrap_or(0);
                    break;
                }
                Err(_) if rest.is_zero() => break,
                Err(_) => {}
            }
        }
        if reported == 1 { Ok(()) } else { Err(ReaperError::Silent(patience)) }
    }

    /// Ends the reaper: nothing is left for it to do.
    pub fn dismiss(mut self) {
        // The other way round, it would see the pipe's end first and look through all processes for nothing.
        let _ = self.reaper.kill();
        let _ = self.reaper.wait();
    }
}
