//! One verdict a test, the counts, and the reporters.
//!
//! | file | holds |
//! |---|---|
//! | `core` | verdicts, counts, events: a state machine without actor |
//! | `progress` | how far the run is, which each event carries |
//! | `actor` | [`ResultAggregator`], its shell |
//! | `reporter` | the trait [`Reporter`], and how a broken one is kept from breaking the run |

mod actor;
mod core;
mod progress;
mod reporter;

pub use actor::ResultAggregator;
pub use core::{Core, Effect, Policy, Tell};
pub use progress::{Moment, Progress};
pub use reporter::Reporter;
