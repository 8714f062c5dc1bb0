//! The daemon's configuration.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | the sections and their keys, with the defaults |
//! | `layers` | merging the file, the environment and options |
//! | `network` | addresses of peers and interfaces for discovery |

mod layers;
mod network;
mod settings;

pub use layers::{NAME, PeerdConfig, Set, help, load};
pub use network::{resolve, udp};
pub use settings::{Log, Settings, Work};
