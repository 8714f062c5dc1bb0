//! Who acts: the actors that run tests, and the pure cores that decide for them.
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
//! | [`kit`] | small tools of all wings |
//! | [`execution`] | running tests on this machine |
//! | [`content`] | the inputs of a run, by content |
//! | [`trust`] | whom this machine trusts, and through whom |
//! | [`net`] | peers on the network: finding them, and talking to them |
//! | [`history`] | how long tests took in earlier runs, and what they came to |
//! | [`mod@run`] | one run |
//! | [`daemon`] | one daemon |
//!
//! A wing imports only wings above it in this table: `kit` is there for all, `net` knows `trust`, `run` and `daemon` know
//! all others and never each other; `tests/architecture.rs` checks it.

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
