//! Why a workspace is not what a run needs.

use std::io;
use std::path::{Path, PathBuf};

use flotilla_messages::inputs::{Digest, SurveyError};

use crate::content::blobs::{BlobError, Fault};

/// Why a workspace cannot be made or updated. Another update puts right whatever was left half done.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
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
    /// Another process, or another job of this one, works in it.
    #[error("cannot use {}: it is in use", .0.display())]
    Locked(PathBuf),
    /// The tree breaks its limits or its rules.
    #[error("cannot make a workspace: {0}")]
    Tree(#[from] SurveyError),
    /// The tree gives another size for a blob than it has, and would pass the limits by that.
    #[error("cannot make a workspace: the tree says that blob {digest} has {claimed} bytes, it has {actual}")]
    Size {
        /// The blob.
        digest: Digest,
        /// What the tree says.
        claimed: u64,
        /// What it has.
        actual: u64,
    },
    /// The store fails.
    #[error("cannot make a workspace: {0}")]
    Blob(#[from] BlobError),
    /// Blobs are not in the store, or were found damaged there: to be fetched, before the update is tried again.
    #[error("cannot make a workspace: {} blobs are not here", .0.len())]
    Missing(Vec<Digest>),
}

impl WorkspaceError {
    /// Whose fault it is; what is missing is nobody's, and counts as this machine's.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Tree(_) | Self::Size { .. } => Fault::Sender,
            Self::Blob(error) => error.fault(),
            Self::Io { .. } | Self::DiskFull { .. } | Self::Locked(_) | Self::Missing(_) => {
                Fault::Infrastructure
            }
        }
    }

    /// For `map_err` on what the system does with a file.
    pub(super) fn io<E: Into<io::Error>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        move |source| {
            let (source, path) = (source.into(), path.to_owned());
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Self::DiskFull { doing, path, source }
                }
                _ => Self::Io { doing, path, source },
            }
        }
    }
}
