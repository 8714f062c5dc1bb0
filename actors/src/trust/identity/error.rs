//! What can be wrong with what is on disk.

use std::io;
use std::path::PathBuf;

use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::KeyError;
use flotilla_messages::statement::{MOST_APPROVALS, StatementError};

/// Why the home directory, or a key file that somebody named, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The system refuses.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no identity.
    #[error("cannot read {}: there is no identity yet; `peerd setup` makes one", .0.display())]
    NoIdentity(PathBuf),
    /// The private key is open to others.
    #[error("cannot use {}: its mode {mode:04o} lets others read it; if nobody has, `chmod 600` it", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others could add approvals or put another key in place.
    #[error("cannot use {}: its mode {mode:04o} lets others write there; `chmod go-w` it", path.display())]
    Writable {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The private key belongs to another user.
    #[error("cannot use {}: it belongs to another user", .0.display())]
    OtherOwner(PathBuf),
    /// A link, a directory, a pipe.
    #[error("cannot use {}: not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Larger than anything it could be.
    #[error("cannot use {}: more than {limit} bytes are no such file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most it may have.
        limit: usize,
    },
    /// The identity is something else.
    #[error("cannot use {}: not an unencrypted Ed25519 private key in PKCS#8 PEM form", .0.display())]
    NoPrivateKey(PathBuf),
    /// Something else than a public key where one is wanted.
    #[error("cannot use {}: {why} in PEM form", path.display())]
    NoPublicKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: KeyError,
    },
    /// A private key where a public one is wanted.
    #[error("cannot use {}: this is a private key; give nobody but its owner that file, and pass trusted/FINGERPRINT.pem on instead", .0.display())]
    PrivateKeyGiven(PathBuf),
    /// The name of a file says another fingerprint than its key has.
    #[error("cannot use {}: it holds the key {key}", path.display())]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// The fingerprint of what it holds.
        key: Fingerprint,
    },
    /// Something else where a daemon writes its ports.
    #[error("cannot use {}: not what a daemon writes: {why}", path.display())]
    NoPorts {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// More approvals than a statement holds.
    #[error("cannot use {}: it approves more than {MOST_APPROVALS} keys", .0.display())]
    TooMany(PathBuf),
    /// A statement that cannot be signed.
    #[error("cannot sign: {0}")]
    Statement(#[from] StatementError),
    /// No randomness for a key.
    #[error("cannot make a key: {0}")]
    Random(getrandom::Error),
}

/// Why a text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPublicKey {
    /// It is what its owner must keep.
    #[error("a private key")]
    Private,
    /// It is anything else.
    #[error(transparent)]
    Other(#[from] KeyError),
}

impl HomeError {
    /// For `map_err` on what the system does with a file.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
