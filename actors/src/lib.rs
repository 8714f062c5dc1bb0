//! The actors that run tests, and the pure cores that make their decisions.
//!
//! ```text
//!  Cases ──▶ lister ──▶ Scheduler ──Order──▶ LocalPool ──▶ ProcessRunner* ──▶ a process each
//!                        │    ▲                                  │
//!                        │    └────────────── News ──────────────┘
//!                        ▼
//!                 ResultAggregator ──Event──▶ reporters
//! ```
//!
//! | wing | holds |
//! |---|---|
//! | [`kit`] | small tools that all wings use |
//! | [`execution`] | running tests on this machine |
//! | [`content`] | the inputs of a run, by content |
//! | [`trust`] | which keys this machine trusts, and through which chains of approvals |
//! | [`net`] | peers on the network: discovery, links and messages |
//! | [`history`] | durations and outcomes of tests in earlier runs |
//! | [`mod@run`] | one run |
//! | [`daemon`] | one daemon |
//!
//! A wing imports only wings above it in this table: all may import `kit`, `net` imports `trust`, and `run` and
//! `daemon` import all others but never each other; `tests/architecture.rs` checks it.

pub mod content;
pub mod daemon;
pub mod execution;
pub mod history;
pub mod kit;
pub mod net;
pub mod run;
pub mod trust;

pub use run::aggregator::Reporter;
pub use run::{RunError, RunOptions, StopRequest, StopSource, run};
