//! What is kept of earlier runs: how long tests took and what they came to.
//!
//! ```text
//!            a run                                                      the daemon of this host
//!   lister ──waits a little──▶ Known ◀── own means ── Keeper's thread
//!   scheduler ──expected?────▶       ◀── the daemon's, ◀───────────── Durations ◀── DurationStore's thread
//!                                        where the tree has none           ▲               │
//!   aggregator ──▶ Recorder ──batches──▶ Keeper's thread ──▶ book      what took how long  ▼
//!                                                └──────at the end──────────┘     data/durations.sqlite
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `mean` | a running mean |
//! | `record` | what is kept of a test, and how a run changes it: no file, no clock |
//! | `known` | the expected durations of a run, in memory |
//! | `database` | opening a file of SQLite's: made once, of our version, set aside if it is damaged |
//! | `book` | the file of a build: its tables, read and written |
//! | `past` | the same, for who only wants to look |
//! | `keeper` | the thread of a run that does both, and the reporter that feeds it |
//! | `store` | the file of a daemon, and its thread |
//!
//! Nothing of it ever fails a run: what cannot be read is not known, what cannot be written is lost, and one line says so.

mod book;
mod database;
mod keeper;
mod known;
mod mean;
mod past;
mod record;
mod store;
#[cfg(test)]
mod tests;

pub use book::Book;
pub use database::DatabaseError;
pub use keeper::{Keeper, Kept, Recorder};
pub use known::Known;
pub use mean::{MOST_SAMPLES, Mean};
pub use past::{KeptTest, Past};
pub use record::{Noted, Record, Verdict};
pub use store::{DurationStore, Restored, Stored};
