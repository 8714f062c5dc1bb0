//! Why commands fail, and the exit codes that say so.

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

/// Refused or failed.
const FAILED: u8 = 1;
/// A bad option.
const USAGE: u8 = 2;

/// How long a daemon takes to say goodbye at most.
pub const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long `stop` waits for its end: more than that.
pub const END: Duration = Duration::from_secs(30);
/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// What is on disk, or cannot be put there.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The key that was named is not to be found.
    #[error(transparent)]
    Name(#[from] FingerprintError),
    /// The fingerprint is known and the key is not.
    #[error("the key {0} is not known here: approve its file")]
    NoKey(Fingerprint),
    /// Not accepted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no place for a home.
    #[error("there is no home directory: give one by --home or FLOTILLA_HOME")]
    Homeless,
    /// What is on disk is the daemon's as long as it runs.
    #[error("a daemon has just started on this home, pid {0}: try again")]
    Running(u32),
    /// There is nobody to ask.
    #[error("no daemon runs on {}: peerd start", .0.display())]
    NotRunning(PathBuf),
    /// It cannot be asked, or says no.
    #[error(transparent)]
    Online(#[from] OnlineError),
    /// What the daemon is told.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The daemon cannot run.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// It cannot be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// It cannot be stopped.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// Its log cannot be shown.
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
    /// The exit code that says so.
    pub fn code(&self) -> u8 {
        match self {
            Self::Config(ConfigError::Option { .. }) => USAGE,
            // The daemon's own, as it was given this command's options.
            Self::Launch(LaunchError::Refused(status)) if status.code() == Some(USAGE.into()) => USAGE,
            _ => FAILED,
        }
    }
}

/// Why the daemon does not run, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Reaching the daemon would be reaching root.
    #[error("running as root lends root's rights to every trusted peer: use another user, or --allow-root")]
    Root,
    /// The home is not free.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It cannot serve.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A part of it is no more. It is never left half alive.
    #[error("the daemon ends, as its {0} has ended")]
    Died(&'static str),
    /// No signals can be had.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// Why a daemon was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// There is none.
    #[error("no daemon runs on {0}")]
    NotRunning(String),
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The system does not let it.
    #[error("cannot send a signal to the daemon, pid {pid}: {why}")]
    Signal {
        /// Its process.
        pid: u32,
        /// What the system says.
        why: rustix::io::Errno,
    },
    /// The home is on a disk that machines share.
    #[error("the daemon, pid {pid}, is no process of this machine: stop it where it runs")]
    Elsewhere {
        /// Its process there.
        pid: u32,
    },
    /// It goes on.
    #[error("the daemon, pid {pid}, still runs after {} s", END.as_secs())]
    StillRuns {
        /// Its process.
        pid: u32,
    },
}
