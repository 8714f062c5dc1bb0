//! What a peer keeps of the inputs it was sent: a store of blobs by content, limited in size.
//!
//! ```text
//! DIR/ab/cdef...   a blob, named by its digest; its mtime is when it was last used
//! DIR/incoming/N   a blob that is not whole or not verified yet
//! DIR/lock         held while a store is open
//! ```
//!
//! A blob gets its name only after its bytes were found to be those of its digest. Nothing is synced to disk: after a power
//! failure a blob may be empty or torn although it has its name. So a blob is verified once more when it is first used
//! after each start, which costs one read of it and also finds what a failing disk or a careless hand has done since.
//! (A marker of a clean shutdown would save that read and find neither.)
//!
//! | file | holds |
//! |---|---|
//! | `store` | [`BlobStore`] |
//! | `ledger` | the pure core: what is there, what is pinned, what has to go |
//! | `error` | [`BlobError`], and whose [`Fault`] it is |

mod error;
mod ledger;
mod store;
#[cfg(test)]
mod tests;

pub use error::{BlobError, Fault};
pub use ledger::PinId;
pub use store::{BlobStore, Located, Owner, Usage};
