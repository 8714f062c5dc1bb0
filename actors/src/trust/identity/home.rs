//! The directory where a machine keeps its identity and what it was told about trust.
//!
//! | path | holds |
//! |---|---|
//! | `data/identity.key` | the private key, mode 0600 |
//! | `data/mypubkey` | the fingerprint of its public key |
//! | `data/boot` | the number of the last start of the daemon, see [`Presence::boot`](flotilla_messages::Presence::boot) |
//! | `data/lock` | nothing; locked while somebody changes any of this |
//! | `data/peerd.pid`, `data/peerd.ports` | the daemon that runs, and where it listens |
//! | `trusted/<fingerprint>.pem` | a key approved here; one's own, to be passed on |
//! | `trusted/<fingerprint>.statement` | the latest statement of this key, verified |
//! | `barred/<fingerprint>` | a key revoked here, in PEM if it is known |

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ed25519_dalek::VerifyingKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::statement::{MOST_APPROVALS, MOST_BYTES, SignedStatement};

use super::error::HomeError;
use super::files;
use super::key::{Identity, public_pem, read_public};
use crate::trust::{State, TrustRecord};

/// What is the owner's alone.
const PRIVATE: u32 = 0o600;
/// What others may read.
const PUBLIC: u32 = 0o644;

/// The directory.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

/// Held while the directory is changed: two commands at a time would publish two statements with one serial.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What is on disk about trust.
#[derive(Debug)]
pub struct Contents {
    /// All that is sound.
    pub state: State,
    /// Files that were passed over, with the reason; for the log.
    pub warnings: Vec<String>,
}

impl Home {
    /// The home at this path, whether it is there or not.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The one that is given, else FLOTILLA_HOME, else `flotilla` in the user's data directory (XDG base directories);
    /// nothing where there is no such directory.
    pub fn find(given: Option<PathBuf>) -> Option<Self> {
        let set = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty())
        };
        let data = || {
            let xdg = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
            xdg.or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
                .map(|dir| dir.join("flotilla"))
        };
        given.or_else(|| set("FLOTILLA_HOME")).or_else(data).map(Self::at)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Where the private key is.
    pub fn key_file(&self) -> PathBuf {
        self.root.join("data/identity.key")
    }

    /// Where this key is, if it is approved; one's own in any case.
    pub fn trusted_file(&self, key: &Fingerprint) -> PathBuf {
        self.root.join("trusted").join(format!("{key}.pem"))
    }

    fn statement_file(&self, issuer: &Fingerprint) -> PathBuf {
        self.root.join("trusted").join(format!("{issuer}.statement"))
    }

    fn barred_file(&self, key: &Fingerprint) -> PathBuf {
        self.root.join("barred").join(key.to_string())
    }

    fn directories(&self) -> [PathBuf; 3] {
        ["data", "trusted", "barred"].map(|name| self.root.join(name))
    }

    /// Makes what is missing: directories, the identity, the files about it. Never touches a key that is there.
    /// The second value: whether the identity is new.
    ///
    /// # Errors
    /// [`HomeError`], also when the key that is there cannot be used.
    pub fn setup(&self) -> Result<(Identity, bool), HomeError> {
        files::directory(&self.root, 0o755)?;
        for (directory, mode) in self.directories().iter().zip([0o700, 0o755, 0o755]) {
            files::directory(directory, mode)?;
        }
        let lock = self.lock()?;
        // A daemon writes while it runs; what it has not renamed yet is not left over.
        if self.running(&lock)?.is_none() {
            for directory in self.directories() {
                files::remove_temporary(&directory)?;
            }
        }
        let key_file = self.key_file();
        let created = if key_file.symlink_metadata().is_ok() {
            false
        } else {
            files::create(&key_file, Identity::generate()?.to_pem().as_bytes(), PRIVATE)?
        };
        // What is on disk counts, not what was meant to be there.
        let identity = Identity::read(&key_file)?;
        let name = identity.fingerprint();
        files::replace(&self.root.join("data/mypubkey"), format!("{name}\n").as_bytes(), PUBLIC)?;
        files::replace(&self.trusted_file(&name), public_pem(&identity.public_key()).as_bytes(), PUBLIC)?;
        Ok((identity, created))
    }

    /// Puts a file of this name into the directory, unless there is one. The value: whether there was none.
    ///
    /// # Errors
    /// [`HomeError`] when the disk does not take it.
    pub fn write_new(&self, name: &str, text: &str) -> Result<bool, HomeError> {
        let path = self.root.join(name);
        // A link that leads nowhere is somebody's as well.
        if path.symlink_metadata().is_ok() {
            return Ok(false);
        }
        files::create(&path, text.as_bytes(), PUBLIC)
    }

    /// The identity.
    ///
    /// # Errors
    /// [`HomeError`] when there is none, others can read it, or it is no Ed25519 key; and when others can write to
    /// the directories.
    pub fn identity(&self) -> Result<Identity, HomeError> {
        let identity = Identity::read(&self.key_file())?;
        self.check_directories()?;
        Ok(identity)
    }

    fn check_directories(&self) -> Result<(), HomeError> {
        files::check_directory(&self.root)?;
        self.directories().iter().try_for_each(|directory| files::check_directory(directory))
    }

    /// Waits until nobody else changes the directory.
    ///
    /// # Errors
    /// [`HomeError`] when others could change it, or the lock cannot be had.
    pub fn lock(&self) -> Result<Lock, HomeError> {
        self.check_directories()?;
        let path = self.root.join("data/lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
        let file = opened.map_err(HomeError::io("lock", &path))?;
        file.lock().map_err(HomeError::io("lock", &path))?;
        Ok(Lock { _file: file })
    }

    /// The number of a new start: the time in milliseconds, or one more than the last one's where the clock went back.
    /// It is on disk when this returns.
    ///
    /// # Errors
    /// [`HomeError`] when the disk does not take it.
    pub fn next_boot(&self, now: SystemTime) -> Result<u64, HomeError> {
        let path = self.root.join("data/boot");
        // A file that says nothing is as good as none: the time is right nearly always.
        let last = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        let boot = last.map_or(now, |last: u64| now.max(last.saturating_add(1)));
        files::replace(&path, format!("{boot}\n").as_bytes(), PUBLIC)?;
        Ok(boot)
    }

    /// Reads approvals, bars and statements. Every key and every statement is checked against its file's name, and
    /// each signature is verified.
    ///
    /// # Errors
    /// [`HomeError`] when an approval is not what its name says: passing over it would withdraw it.
    pub fn contents(&self, identity: &Identity) -> Result<Contents, HomeError> {
        let mut contents = Contents { state: State::default(), warnings: Vec::new() };
        let trusted = self.root.join("trusted");
        for name in files::names(&trusted)? {
            let path = trusted.join(&name);
            let parts = name.rsplit_once('.').and_then(|(stem, kind)| Some((exact(stem)?, kind)));
            match parts {
                _ if name.starts_with('.') => {}
                Some((key, "pem")) if key == identity.fingerprint() => {}
                Some((key, "pem")) => contents.state.approvals.push(approval(&path, key)?),
                Some((issuer, "statement")) => match statement(&path, issuer) {
                    Ok(statement) => contents.state.statements.push(statement),
                    Err(why) => contents.warnings.push(why),
                },
                _ => {
                    let why = "its name is no fingerprint; `peerd approve` takes keys";
                    contents.warnings.push(format!("{} is passed over: {why}", path.display()));
                }
            }
        }
        if contents.state.approvals.len() > MOST_APPROVALS {
            return Err(HomeError::TooMany(trusted));
        }
        let barred = self.root.join("barred");
        for name in files::names(&barred)? {
            match exact(&name) {
                Some(key) => contents.state.barred.push(key),
                None if name.starts_with('.') => {}
                None => {
                    let path = barred.join(&name);
                    contents
                        .warnings
                        .push(format!("{} is passed over: its name is no fingerprint", path.display()));
                }
            }
        }
        Ok(contents)
    }

    /// The key that was revoked here under this fingerprint, if it was known then.
    pub fn barred_key(&self, name: &Fingerprint) -> Option<VerifyingKey> {
        read_public(&self.barred_file(name), false).ok().filter(|key| Fingerprint::of(key) == *name)
    }

    /// Makes one change. It is on disk when this returns. To be called under the [`lock`](Self::lock).
    ///
    /// # Errors
    /// [`HomeError`] when the disk does not take it.
    pub fn store(&self, record: &TrustRecord) -> Result<(), HomeError> {
        match record {
            TrustRecord::Approval(key) => {
                files::replace(&self.trusted_file(&Fingerprint::of(key)), public_pem(key).as_bytes(), PUBLIC)
            }
            TrustRecord::NoApproval(key) => files::remove(&self.trusted_file(key)),
            TrustRecord::Bar(name) => {
                let key = read_public(&self.trusted_file(name), false).ok();
                let pem = key.filter(|key| Fingerprint::of(key) == *name).map(|key| public_pem(&key));
                files::replace(&self.barred_file(name), pem.unwrap_or_default().as_bytes(), PUBLIC)
            }
            TrustRecord::NoBar(name) => files::remove(&self.barred_file(name)),
            TrustRecord::Statement(statement) => {
                files::replace(&self.statement_file(&statement.issuer()), statement.bytes(), PUBLIC)
            }
            TrustRecord::NoStatement(issuer) => files::remove(&self.statement_file(issuer)),
        }
    }
}

/// The fingerprint that a file's name is, as we write it: in lower case, so that each has one file.
fn exact(name: &str) -> Option<Fingerprint> {
    name.parse().ok().filter(|key: &Fingerprint| key.to_string() == name)
}

/// Reads `trusted/<fingerprint>.pem`.
fn approval(path: &Path, name: Fingerprint) -> Result<VerifyingKey, HomeError> {
    let key = read_public(path, false)?;
    let found = Fingerprint::of(&key);
    if found == name { Ok(key) } else { Err(HomeError::OtherKey { path: path.to_owned(), key: found }) }
}

/// Reads `trusted/<fingerprint>.statement`; the error is a line for the log. A statement that is passed over can be
/// had again from its issuer.
fn statement(path: &Path, issuer: Fingerprint) -> Result<SignedStatement, String> {
    let passed_over = |why: &dyn std::fmt::Display| format!("{} is passed over: {why}", path.display());
    let file = files::open(path, false).map_err(|error| passed_over(&error))?;
    let bytes = files::read(&file, path, MOST_BYTES).map_err(|error| passed_over(&error))?;
    let statement = SignedStatement::open(&bytes).map_err(|error| passed_over(&error))?;
    if statement.issuer() != issuer {
        return Err(passed_over(&format_args!("its issuer is {}", statement.issuer())));
    }
    Ok(statement)
}
