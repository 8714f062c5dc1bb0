//! The side of the Local port that asks: a run, and the `peerd` command.
//!
//! | file | holds |
//! |---|---|
//! | `client` | [`Client`]: one question after the other |
//! | `daemon_session` | [`DaemonSession`]: what a run and its daemon tell one another while tests run |

mod client;
mod daemon_session;

pub use client::{AskError, Client, ConnectError};
pub use daemon_session::{DaemonSession, Distrusted};
