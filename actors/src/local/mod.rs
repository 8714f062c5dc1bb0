//! The Local port: a runner or the `peerd` command of this host's own identity asks its daemon.
//!
//! | file | holds |
//! |---|---|
//! | `handler` | [`LocalHandler`]: answers questions |
//! | `durations` | how long tests take, as runners told |
//! | `slots` | [`Slots`]: which job slots the host's own user has claimed |
//! | `client` | [`Client`]: the side that asks |
//! | `liaison` | [`Liaison`]: what a run and its daemon tell one another while tests run |

mod client;
mod durations;
mod handler;
mod liaison;
mod slots;

pub use client::{AskError, Client, ConnectError};
pub use durations::{Changes, Durations};
pub use handler::{About, Facts, LocalHandler, Part};
pub use liaison::{Distrusted, Liaison};
pub use slots::Slots;
