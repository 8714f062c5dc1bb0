//! Why a blob is not taken or given.

use std::io;
use std::path::PathBuf;

use flotilla_messages::inputs::Digest;

/// Whose fault an error is, which decides what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The sender's fault: its connection is of no use any more.
    Sender,
    /// Of this machine: an infrastructure failure. Tests run elsewhere.
    Infrastructure,
}

/// Why a blob is not taken or given. The store is as before, and never holds a blob that is not its digest.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
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
    /// The disk has no room, or the user's quota is used up.
    #[error("cannot {doing} {}: {source}; free some space on that disk", path.display())]
    DiskFull {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store's limit is too low for what is in use at once.
    #[error(
        "cannot keep a blob of {size} bytes: the store is limited to {limit} bytes, of which {pinned} are in use"
    )]
    NoRoom {
        /// The blob's size.
        size: u64,
        /// The store's limit.
        limit: u64,
        /// What cannot be evicted.
        pinned: u64,
    },
    /// Another process has the store open.
    #[error("cannot use {}: another process uses it", .0.display())]
    Locked(PathBuf),
    /// The bytes are not those of the digest.
    #[error("what came as blob {claimed} is {actual}")]
    NotItsDigest {
        /// What the sender says.
        claimed: Digest,
        /// What it is.
        actual: Digest,
    },
    /// A piece that does not follow on the one before.
    #[error("a piece of blob {digest} came from {offset}, where {expected} was to come")]
    Order {
        /// The blob.
        digest: Digest,
        /// Where the piece begins.
        offset: u64,
        /// Where the next one had to begin.
        expected: u64,
    },
    /// A piece that gives another size for the whole than the first one did.
    #[error("a piece of blob {digest} says that it has {total} bytes, the first one said {expected}")]
    Total {
        /// The blob.
        digest: Digest,
        /// What this piece says.
        total: u64,
        /// What the first one said.
        expected: u64,
    },
    /// More blobs begun than anybody who sends them one after the other.
    #[error("more than {0} blobs are begun and not finished")]
    TooManyBegun(usize),
}

impl BlobError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Io { .. } | Self::DiskFull { .. } | Self::NoRoom { .. } | Self::Locked(_) => {
                Fault::Infrastructure
            }
            Self::NotItsDigest { .. } | Self::Order { .. } | Self::Total { .. } | Self::TooManyBegun(_) => {
                Fault::Sender
            }
        }
    }

    /// For `map_err` on what the system does with a file.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { doing, path, source }
            }
            _ => Self::Io { doing, path, source },
        }
    }
}
