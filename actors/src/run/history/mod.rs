//! The history of earlier runs, as a run reads and writes it.
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
//! | `estimates` | the expected durations of a run, in memory |
//! | `writer` | the thread of a run that reads and writes, and the reporter that feeds it |

mod estimates;
#[cfg(test)]
mod tests;
mod writer;

pub use estimates::DurationEstimates;
pub use writer::{HistoryWriter, Kept, Recorder};
