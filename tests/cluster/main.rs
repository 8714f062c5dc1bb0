//! Clusters in one process: daemons find one another, prove who they are, and trust spreads and is withdrawn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod cable;
mod client;
mod harness;
mod trust;
mod work;
