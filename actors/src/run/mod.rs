//! One run: reaper, listing, scheduler, local pool and aggregator, wired and watched.
//!
//! | file | holds |
//! |---|---|
//! | `drive` | [`run`]: builds everything, waits for the end, cleans up |
//! | `peers` | brings peers in and sees them off |
//! | `options` | what a run is told, and how it fails |
//! | `request`, `stop` | requests to stop, and the signals that are such |
//! | `vital` | how the death of an actor is noticed |

mod drive;
#[cfg(test)]
pub(crate) mod fake;
mod options;
mod peers;
mod request;
mod stop;
#[cfg(test)]
mod tests;
mod vital;

pub use drive::{drive, run};
pub use options::{PeersOptions, RunError, RunOptions};
pub use request::StopRequest;
pub use stop::StopSource;
pub use vital::{Happening, Vital};
