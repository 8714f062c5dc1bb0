//! Runs over peers on a network where things go wrong: machines are killed, stand still, lose their cable or the room on
//! their disk. Real binaries, a network namespace for each machine. Needs root and iproute2; says so and does nothing
//! otherwise.
//!
//! Whatever happens, the exit code is right, every test has exactly one verdict, nothing is left running anywhere, and
//! the next run works. [`chaos`] plays many such runs in a row.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::expect_used, clippy::panic, reason = "likewise")]

#[path = "../bridge/mod.rs"]
mod bridge;
mod chaos;
mod disk;
mod faults;
mod fleet;
#[path = "../machine/mod.rs"]
mod machine;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod trees;
mod wire;
