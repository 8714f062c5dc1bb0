//! Clusters in one process: daemons find one another, prove who they are, and trust spreads and is withdrawn.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::expect_used, clippy::panic, reason = "likewise")]

mod cable;
mod cables;
mod crowd;
mod harness;
mod local;
mod ports;
mod strangers;
mod trust;
mod versions;
mod visitor;
mod work;
