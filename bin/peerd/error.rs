//! The commands' errors and their exit codes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use flotilla_actors::daemon::StartError;
use flotilla_actors::trust::Refusal;
use flotilla_actors::trust::identity::{ClaimError, HomeError};
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::FingerprintError;

use crate::options::ConfigError;
use crate::peerd::launch::LaunchError;
use crate::peerd::logging::LogError;
use crate::peerd::online::OnlineError;
use crate::peerd::tail::TailError;

/// The exit code if a command was refused or failed.
const FAILED: u8 = 1;
/// The exit code for a bad option.
const USAGE: u8 = 2;

/// How long an ending daemon waits for its links to close.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long `stop` waits for the daemon's end; longer than [`CLOSE_TIMEOUT`].
pub const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The home directory cannot be read or written.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is no single known key with the given digits.
    #[error(transparent)]
    Name(#[from] FingerprintError),
    /// The fingerprint is known, but not the key.
    #[error("the key {0} is not known here: approve its file")]
    NoKey(Fingerprint),
    /// The change of trust was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No home directory was given, and there is no default for one.
    #[error("there is no home directory: give one by --home or FLOTILLA_HOME")]
    Homeless,
    /// A daemon runs; only it may change the files then.
    #[error("a daemon has just started on this home, pid {0}: try again")]
    Running(u32),
    /// No daemon runs.
    #[error("no daemon runs on {}: peerd start", .0.display())]
    NotRunning(PathBuf),
    /// The daemon cannot be asked, or refuses.
    #[error(transparent)]
    Online(#[from] OnlineError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Logging cannot start.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The daemon cannot run.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The daemon cannot be started in the background.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The daemon cannot be stopped.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// The log cannot be shown.
    #[error("{0}")]
    Tail(TailError),
    /// Standard output is closed or full.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

impl From<TailError> for CommandError {
    fn from(error: TailError) -> Self {
        match error {
            TailError::Print(error) => Self::Print(error),
            error => Self::Tail(error),
        }
    }
}

impl CommandError {
    /// The exit code for this error.
    pub fn code(&self) -> u8 {
        match self {
            Self::Config(ConfigError::Option { .. }) => USAGE,
            // The daemon's own exit code: it got this command's options.
            Self::Launch(LaunchError::Refused(status)) if status.code() == Some(USAGE.into()) => USAGE,
            _ => FAILED,
        }
    }
}

/// Why the daemon does not run, or has ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Peers would run their tests as root.
    #[error("running as root lends root's rights to every trusted peer: use another user, or --allow-root")]
    Root,
    /// The home cannot be claimed, for example because another daemon runs on it.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The daemon cannot start to serve.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A part of the daemon has ended. The rest then ends too.
    #[error("the daemon ends, as its {0} has ended")]
    Died(&'static str),
    /// Signal handlers cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// Why a daemon was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// No daemon runs.
    #[error("no daemon runs on {0}")]
    NotRunning(String),
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The system refuses to send the signal.
    #[error("cannot send a signal to the daemon, pid {pid}: {why}")]
    Signal {
        /// The daemon's process.
        pid: u32,
        /// The system's error.
        why: rustix::io::Errno,
    },
    /// The daemon runs on another machine that shares the home's disk.
    #[error("the daemon, pid {pid}, is no process of this machine: stop it where it runs")]
    Elsewhere {
        /// The daemon's process on that machine.
        pid: u32,
    },
    /// The daemon does not end in time.
    #[error("the daemon, pid {pid}, still runs after {} s", END_TIMEOUT.as_secs())]
    StillRuns {
        /// The daemon's process.
        pid: u32,
    },
}
