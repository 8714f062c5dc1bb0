//! What all wings share: options, errors, and small types without a wing of their own.
//!
//! | file | holds |
//! |---|---|
//! | `options` | [`Options`](options::Options): what a tree is opened with |
//! | `error` | what can stand in the way before any test runs |
//! | `place` | directories whose files become arguments |
//! | `search_path` | programs in PATH |
//! | `shard` | parts of all tests |

pub mod error;
#[cfg(test)]
pub mod for_tests;
pub mod options;
pub mod place;
pub mod search_path;
pub mod shard;
