//! One run: listing, scheduling, executors and verdicts, wired and watched.
//!
//! ```text
//!  Cases ──▶ lister ──▶ Scheduler ──Order──▶ executors: LocalPool, and a PeerProxy for each peer
//!                        │    ▲                                  │
//!                        │    └────────────── News ──────────────┘
//!                        ▼
//!                 ResultAggregator ──Event──▶ reporters
//! ```
//!
//! | module or file | holds |
//! |---|---|
//! | [`scheduler`] | which test goes where |
//! | [`aggregator`] | one verdict a test, counts, and the reporters |
//! | [`proxy`] | a peer as an executor of a run |
//! | [`history`] | expected durations, and the thread that reads and writes the history |
//! | [`daemon_client`] | the side of the Local port that asks |
//! | `drive` | [`run`]: builds everything, waits for the end, cleans up |
//! | `peers` | brings peers in and sees them off, and decides when one is dialled again |
//! | `options` | what a run is told, and how it fails |
//! | `request`, `stop` | requests to stop, and the signals that are such |
//! | `event` | what the driving future waits for |
//!
//! Threads: one actix system; the lister, the history and the maker of cases for peers have a thread each.
//!
//! Invariants: each test gets one verdict, or the run says that it did not end; nothing a peer says changes which test
//! a verdict is of.

pub mod aggregator;
pub mod daemon_client;
mod drive;
mod event;
#[cfg(test)]
pub(crate) mod fake;
pub mod history;
mod options;
mod peers;
pub mod proxy;
mod request;
pub mod scheduler;
mod stop;
#[cfg(test)]
mod tests;

pub use drive::{drive, run};
pub use event::RunEvent;
pub use options::{PeersOptions, RunError, RunOptions};
pub use request::StopRequest;
pub use stop::StopSource;
