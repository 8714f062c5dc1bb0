//! Why inputs cannot be shipped. Tests that need them run here.

use std::io;
use std::path::PathBuf;

use flotilla_messages::inputs::{Digest, DirectoryError, NameError, PackError};

/// Why no tree can be made.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The system refuses.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A path of the selection is absolute, has `..` in it, or is empty where something has to be called by it.
    #[error("cannot ship {}: not a path below the root", .0.display())]
    Outside(PathBuf),
    /// A link that another machine cannot follow.
    #[error("cannot ship {}: it is a link to {}, which is not below {}", path.display(), target.display(), root.display())]
    Leaves {
        /// The link.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
        /// What it must stay in.
        root: PathBuf,
    },
    /// A pipe, a socket, a device.
    #[error("cannot ship {}: not a file, a directory or a link", .0.display())]
    Special(PathBuf),
    /// Somebody writes to it: a build that is still going on, for instance.
    #[error("cannot ship {}: it changes while it is read", .0.display())]
    Changes(PathBuf),
    /// Two things at one place.
    #[error("cannot ship {}: something else has this place too", .0.display())]
    Conflict(PathBuf),
    /// A name that no tree holds.
    #[error("cannot ship {}: {source}", path.display())]
    Name {
        /// The path with it.
        path: PathBuf,
        /// What is wrong with it.
        source: NameError,
    },
    /// A directory that no tree holds.
    #[error("cannot ship {}: {source}", path.display())]
    Directory {
        /// Its place in the tree.
        path: PathBuf,
        /// What is wrong with it.
        source: DirectoryError,
    },
}

impl ScanError {
    /// For `map_err` on what the system does with a file.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// Why a blob cannot be sent. The tree is not what is on disk any more: a new scan is due.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The system refuses.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its content is not what was scanned.
    #[error("cannot send {}: it has changed since the run began", .0.display())]
    Changed(PathBuf),
    /// The peer asks for something else than was offered to it.
    #[error("cannot send blob {0}: it is not in the tree")]
    NotInTree(Digest),
    /// No pack can be made.
    #[error("cannot send: {0}")]
    Pack(#[from] PackError),
}
