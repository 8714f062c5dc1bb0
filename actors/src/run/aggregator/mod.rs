//! Counts, and the reporters.
//!
//! | file | holds |
//! |---|---|
//! | `core` | counts and events: a state machine without actor |
//! | `message` | [`AggregatorMsg`], what it is sent |
//! | `progress` | how far the run is, which each event carries |
//! | `actor` | [`ResultAggregator`], its shell |
//! | `reporter` | the trait [`Reporter`], and how a broken one is kept from breaking the run |

mod actor;
mod core;
mod message;
mod progress;
mod reporter;

pub use actor::ResultAggregator;
pub use core::{Core, VerdictPolicy};
pub use message::{AggregatorMsg, Attempt};
pub use progress::{Moment, Progress};
pub use reporter::Reporter;
