//! This machine's key, and what it keeps on disk.
//!
//! | file | holds |
//! |---|---|
//! | `key` | [`Identity`]: the private key; reading and writing keys as PEM |
//! | `home` | [`Home`]: the directory with the identity, approvals, bars and statements |
//! | `running` | [`Claim`]: which daemon runs on a home, and where it listens |
//! | `files` | files that are whole or not there: temporary name, fsync, rename |
//! | `error` | [`HomeError`], [`NoPublicKey`] |

mod error;
mod files;
mod home;
mod key;
mod running;
#[cfg(test)]
mod tests;

pub use error::{HomeError, NoPublicKey};
pub use home::{Contents, Home, Lock};
pub use key::{Identity, public_key, public_key_file};
pub use running::{Claim, ClaimError, Ports};
