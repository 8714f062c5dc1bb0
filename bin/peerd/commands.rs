//! The commands, and what they print.

use std::path::PathBuf;

use flotilla_actors::trust::Refusal;
use flotilla_actors::trust::identity::{Home, HomeError};
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::FingerprintError;

use crate::cli::{Cli, Command};
use crate::config::{self, ConfigError};
use crate::control::{self, StopError};
use crate::launch::LaunchError;
use crate::logging::LogError;
use crate::online::OnlineError;
use crate::serve::{self, ServeError};
use crate::tail::{self, TailError};
use crate::trusting;

/// Refused or failed.
const FAILED: u8 = 1;
/// A bad option.
const USAGE: u8 = 2;

/// `peerd.toml` as it is put into a new home: all of it commented out.
const CONFIGURATION: &str = include_str!("../../conf/peerd.toml");

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
    Print(#[from] std::io::Error),
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
    fn code(&self) -> u8 {
        match self {
            Self::Config(ConfigError::Option { .. }) => USAGE,
            // The daemon's own, as it was given this command's options.
            Self::Launch(LaunchError::Refused(status)) if status.code() == Some(USAGE.into()) => USAGE,
            _ => FAILED,
        }
    }
}

/// Does what the command line says; the exit code.
pub fn run(cli: Cli) -> u8 {
    match Home::find(cli.home).ok_or(CommandError::Homeless).and_then(|home| command(&home, cli.command)) {
        Ok(()) => 0,
        // Whoever reads has seen enough.
        Err(CommandError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            notice!("peerd: {error}");
            error.code()
        }
    }
}

fn command(home: &Home, command: Command) -> Result<(), CommandError> {
    match command {
        Command::Setup => setup(home),
        Command::Start(serve) => control::start(home, &serve),
        Command::Run { serve, background } => serve::run(home, &serve, background),
        Command::Stop => control::stop(home),
        Command::Restart(serve) => control::restart(home, &serve),
        Command::Log { lines, follow } => log(home, lines, follow),
        Command::Fingerprint => print(&format!("{}\n", home.identity()?.fingerprint())),
        Command::Approve { key } => trusting::approve(home, &key),
        Command::Revoke { key } => trusting::revoke(home, &key),
        Command::Peers { json } => trusting::show_peers(home, json),
        Command::Status { json, watch } => trusting::show_status(home, json, watch),
    }
}

fn setup(home: &Home) -> Result<(), CommandError> {
    let (identity, created) = home.setup()?;
    home.write_new(config::NAME, CONFIGURATION)?;
    let name = identity.fingerprint();
    let what = if created { "a new identity" } else { "an identity already" };
    print(&format!(
        "{} has {what}: {name}\nOther machines approve {}\n",
        home.path().display(),
        home.trusted_file(&name).display()
    ))
}

fn log(home: &Home, lines: usize, follow: bool) -> Result<(), CommandError> {
    home.identity()?;
    let settings = config::load(home, std::env::vars_os(), &[])?.settings;
    Ok(tail::tail(&home.path().join(settings.log.file), lines, follow)?)
}

/// Prints, and has it leave this process.
pub fn print(text: &str) -> Result<(), CommandError> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
