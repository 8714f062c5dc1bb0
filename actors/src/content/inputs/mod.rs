//! The client's side of inputs: from files on disk to a Merkle tree, and from what a peer lacks to packs.
//!
//! Everything here blocks, on disk and on all cores: call it away from an arbiter.
//!
//! | file | holds |
//! |---|---|
//! | `scan` | [`scan`]: the files of a [`Selection`] as a [`Tree`] |
//! | `file` | the digest of one file, noticing that it changes meanwhile |
//! | `link` | what a symbolic link says in the tree |
//! | `tree` | [`Tree`], and how its directories are made from sorted places |
//! | `stat_cache` | [`StatCache`]: digests of files that have not changed since |
//! | `packs` | [`Packs`]: the blobs that a peer lacks, pack by pack |
//! | `error` | [`ScanError`], [`SendError`] |

mod error;
mod file;
mod link;
mod packs;
mod scan;
mod stat_cache;
#[cfg(test)]
mod tests;
mod tree;

pub use error::{ScanError, SendError};
pub use packs::Packs;
pub use scan::{LEFT_OUT, Placed, Selection, scan};
pub use stat_cache::{SaveError, StatCache};
pub use tree::{Counts, Source, Tree};
