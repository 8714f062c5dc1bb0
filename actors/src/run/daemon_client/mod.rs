//! The side of the Local port that asks: a run, and the `peerd` command.
//!
//! | file | holds |
//! |---|---|
//! | `client` | [`Client`]: one question after the other |
//! | `liaison` | [`Liaison`]: what a run and its daemon tell one another while tests run |

mod client;
mod liaison;

pub use client::{AskError, Client, ConnectError};
pub use liaison::{Distrusted, Liaison};
