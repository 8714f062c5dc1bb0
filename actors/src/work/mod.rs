//! The Work port: runners of trusted peers.

mod handler;

pub use handler::{Part, Queued, WorkHandler};
