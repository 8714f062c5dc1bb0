//! What is kept of earlier runs: how long tests took and what they came to.
//!
//! | file | holds |
//! |---|---|
//! | `mean` | a running mean |
//! | `record` | what is kept of a test, and how a run changes it: no file, no clock |
//! | `database` | opening a file of SQLite's: made once, of our version, set aside if it is damaged |
//! | `db` | the file of a build: its tables, read and written |
//! | `reader` | the same, for who only wants to look |
//! | `store` | the file of a daemon, and its thread |
//!
//! Nothing of it ever fails a run: what cannot be read is not known, what cannot be written is lost, and one line says so.

mod database;
mod db;
mod mean;
mod reader;
mod record;
mod store;

pub use database::DatabaseError;
pub use db::HistoryDb;
pub use mean::{MOST_SAMPLES, Mean};
pub use reader::{HistoryReader, KeptTest};
pub use record::{Noted, Record, Verdict};
pub use store::{DurationStore, Restored, Stored};
