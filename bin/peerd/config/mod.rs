//! What the daemon is told before it runs.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | the sections and keys with their defaults |
//! | `layers` | which file, variables and options there are |
//! | `network` | names of peers and interfaces, as discovery wants them |

mod layers;
mod network;
mod settings;

pub use layers::{NAME, PeerdConfig, Set, help, load};
pub use network::{resolve, udp};
pub use settings::{Log, Settings, Work};
