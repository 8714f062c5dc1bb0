//! The Local port: a runner or the `peerd` command of this host's own identity asks its daemon.
//!
//! | file | holds |
//! |---|---|
//! | `handler` | [`LocalHandler`]: answers questions |
//! | `durations` | how long tests take, as runners told |
//! | `host_load` | how busy this machine is, and who is told of it: a state machine |
//! | `slots` | [`Slots`]: which job slots the host's own user has claimed |

mod durations;
mod handler;
mod host_load;
mod slots;

pub use durations::{Changes, Durations};
pub use handler::{DaemonInfo, LocalDependencies, LocalHandler, StopLocal};
pub use slots::Slots;
