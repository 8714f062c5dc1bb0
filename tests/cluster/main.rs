//! Clusters in one process: daemons find one another, prove who they are, trust spreads and is withdrawn, and
//! tests run on peers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::expect_used, clippy::panic, reason = "likewise")]

mod blobs;
mod cable;
mod cables;
mod client;
mod confined;
mod crowd;
mod defects;
mod engines;
mod equality;
mod harness;
mod hostile;
mod liar;
mod liars;
mod local;
mod own_suites;
mod ports;
mod redial;
mod reruns;
mod run;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
mod test262;
mod trust;
mod versions;
mod visitor;
mod work;
mod work_jobs;
