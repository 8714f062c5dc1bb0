//! One verdict a test, the counts, and the reporters.
//!
//! | file | holds |
//! |---|---|
//! | `core` | verdicts, counts, events: a state machine without actor |
//! | `actor` | [`ResultAggregator`], its shell |
//! | `reporter` | the trait [`Reporter`], and how a broken one is kept from breaking the run |

mod actor;
mod core;
mod reporter;

pub use actor::ResultAggregator;
pub use core::{Core, Effect, Policy, Tell};
pub use reporter::Reporter;
