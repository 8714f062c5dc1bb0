//! The directory in which a peer runs a client's tests, made from a tree and a store of blobs.
//!
//! ```text
//! DIR/root     what the tests see
//! DIR/state    what was put there, with the stamps by which a change is noticed
//! DIR/trash    what is on its way out
//! DIR/lock     held while the workspace is open
//! ```
//!
//! Made once, then updated by difference: what is there and unchanged stays, whatever a test has changed is put back,
//! whatever it has made is removed.
//!
//! **Files are copies**, never hard links to blobs: tests may write to their inputs, and through a hard link that would
//! change the blob, and with it the same file in every other workspace, behind its digest. Where the file system shares
//! blocks between files (FICLONE: Btrfs, XFS, bcachefs) a copy costs no data.
//!
//! **Nothing outside is touched.** Tests leave links behind. Every directory is opened from the one above it, refusing
//! links; files are made new, never opened and written over. While a workspace is updated no test may run in it.
//!
//! **A power failure** can leave a file empty behind an unchanged stamp, as nothing is synced. So the state counts only
//! in the boot in which it was written; after another one everything is put there anew.
//!
//! Everything here blocks: call it away from an arbiter.
//!
//! | file | holds |
//! |---|---|
//! | `update` | [`Workspace`]: its directory and its state |
//! | `laying` | [`Laying`]: what differs, and putting it right as blobs come |
//! | `state` | the state file |
//! | `confined` | directories and files by descriptors, never through a link |
//! | `error` | [`WorkspaceError`] |

mod confined;
mod error;
mod laying;
mod state;
#[cfg(test)]
mod tests;
mod update;

pub use error::WorkspaceError;
pub use laying::{Laying, Updated};
pub use update::Workspace;
