//! Counts, and the reporters.
//!
//! | file | holds |
//! |---|---|
//! | `core` | counts and events: a state machine without actor |
//! | `message` | [`AggregatorMsg`], what it is sent |
//! | `actor` | [`ResultAggregator`], its shell |
//! | `reporter` | the trait [`Reporter`], and how a broken one is kept from breaking the run |

mod actor;
mod core;
mod message;
mod reporter;

pub use actor::ResultAggregator;
pub use core::{Core, Policy};
pub use message::{AggregatorMsg, Attempt};
pub use reporter::Reporter;
