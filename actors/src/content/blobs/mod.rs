//! What a peer keeps of the inputs it was sent: a store of blobs by content, limited in size.
//!
//! ```text
//! DIR/packs/...    small blobs as they came, packed; named by the digest of the compressed bytes
//! DIR/ab/cdef...   a large blob, named by its digest; a file's mtime is when it was last used
//! DIR/incoming/N   what is not whole or not verified yet
//! DIR/lock         held while a store is open
//! ```
//!
//! Small blobs are not unpacked into files: making a file costs as much as all else that is done for it, and they have to be
//! made once more in the workspace. A pack stays or goes as a whole. (A store of an earlier version, with a file for each
//! small blob, is used as it is.)
//!
//! A file gets its name only after all blobs in it were found to be their digests. Nothing is synced to disk: after a power
//! failure a file may be empty or torn although it has its name. So a pack is verified whenever it is read, and a large
//! blob when it is first used after each start, which also finds what a failing disk or a careless hand has done since.
//! What is damaged is gone, and asked for again.
//!
//! | file | holds |
//! |---|---|
//! | `store` | [`BlobStore`] |
//! | `packed` | a pack as a file |
//! | `ledger` | the pure core: what is there, what is pinned, what has to go |
//! | `error` | [`BlobError`], and whose [`Fault`] it is |

mod error;
mod ledger;
mod packed;
mod store;
#[cfg(test)]
mod tests;

pub use error::{BlobError, Fault};
pub use ledger::PinId;
pub use packed::Body;
pub use store::{BlobStore, Located, Owner, PackName, Piece, Usage};
