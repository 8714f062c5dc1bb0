//! The commands, and what they print.

use std::path::{Path, PathBuf};

use flotilla_actors::identity::{Home, HomeError, public_key_file};
use flotilla_actors::trust::{Effect, Input, Refusal};
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::{FEWEST_DIGITS, FEWEST_DIGITS_TO_APPROVE, FingerprintError};

use crate::cli::{Cli, Command};
use crate::offline::Offline;
use crate::peers;

/// Refused or failed.
const FAILED: u8 = 1;
/// A bad option, or a command that is not in this version.
const USAGE: u8 = 2;

/// What comes with the daemon.
const LATER: [&str; 6] = ["start", "run", "stop", "restart", "status", "log"];

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
    /// Standard output is closed or full.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

/// Does what the command line says; the exit code.
pub fn run(cli: Cli) -> u8 {
    if let Command::Other(words) = &cli.command {
        let word = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        if LATER.contains(&&*word) {
            eprintln!(
                "peerd: '{word}' is not in this version: it keeps identity and trust, and does not serve yet"
            );
        } else {
            eprintln!("peerd: there is no command '{word}'; see peerd --help");
        }
        return USAGE;
    }
    match home(cli.home).and_then(|home| command(&home, cli.command)) {
        Ok(()) => 0,
        // Whoever reads has seen enough.
        Err(CommandError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            eprintln!("peerd: {error}");
            FAILED
        }
    }
}

fn command(home: &Home, command: Command) -> Result<(), CommandError> {
    match command {
        Command::Setup => setup(home),
        Command::Fingerprint => print(&format!("{}\n", home.identity()?.fingerprint())),
        Command::Approve { key } => approve(home, &key),
        Command::Revoke { key } => revoke(home, &key),
        Command::Peers { json } => {
            let standings = Offline::open(home)?.standings();
            print(&if json { peers::json(&standings) } else { peers::text(&standings) })
        }
        // Has been answered already.
        Command::Other(_) => Ok(()),
    }
}

fn setup(home: &Home) -> Result<(), CommandError> {
    let (identity, created) = home.setup()?;
    let name = identity.fingerprint();
    let what = if created { "a new identity" } else { "an identity already" };
    print(&format!(
        "{} has {what}: {name}\nOther machines approve {}\n",
        home.path().display(),
        home.trusted_file(&name).display()
    ))
}

fn approve(home: &Home, named: &Path) -> Result<(), CommandError> {
    let mut offline = Offline::open(home)?;
    let digits = named.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let key = match digits {
        // A file of that name is meant rather than a key.
        Some(digits) if !named.exists() => {
            let name = Fingerprint::resolve(digits, FEWEST_DIGITS_TO_APPROVE, offline.known())?;
            offline.key(&name).ok_or(CommandError::NoKey(name))?
        }
        _ => public_key_file(named)?,
    };
    let name = Fingerprint::of(&key);
    let effects = offline.handle(Input::Approve(key))?;
    told(&effects, if changed(&effects) { "approved" } else { "approved already" }, &name)
}

fn revoke(home: &Home, named: &str) -> Result<(), CommandError> {
    let mut offline = Offline::open(home)?;
    let name = Fingerprint::resolve(named, FEWEST_DIGITS, offline.known())?;
    let effects = offline.handle(Input::Revoke(name))?;
    told(&effects, if changed(&effects) { "revoked" } else { "revoked already" }, &name)
}

/// Whether anything was to be stored for a command, apart from a statement that was due anyway.
fn changed(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Store(_)))
}

/// Says what was done, and what follows for other keys.
fn told(effects: &[Effect], done: &str, name: &Fingerprint) -> Result<(), CommandError> {
    let mut text = format!("{done}: {name}\n");
    for effect in effects {
        match effect {
            Effect::Trust { key, .. } if key != name => {
                text.push_str(&format!("trusted through it: {key}\n"));
            }
            Effect::Distrust { key, reason } if key != name => {
                text.push_str(&format!("not trusted any more: {key} ({reason})\n"));
            }
            _ => {}
        }
    }
    print(&text)
}

fn print(text: &str) -> Result<(), CommandError> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// `--home`, else FLOTILLA_HOME, else `flotilla` in the user's data directory (XDG base directories).
fn home(given: Option<PathBuf>) -> Result<Home, CommandError> {
    let set =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    let data = || {
        let xdg = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
            .map(|dir| dir.join("flotilla"))
    };
    given.or_else(|| set("FLOTILLA_HOME")).or_else(data).map(Home::at).ok_or(CommandError::Homeless)
}
