//! What the daemon is told before it runs.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | the sections and keys with their defaults |
//! | `layers` | file, environment and options, laid over one another |
//! | `network` | names of peers and interfaces, as discovery wants them |

mod layers;
mod network;
mod settings;

pub use layers::{ConfigError, Loaded, NAME, Set, load};
pub use network::{resolve, udp};
pub use settings::{Log, Settings, Work};
