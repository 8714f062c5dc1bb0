//! A whole daemon: its ports, its actors, and their end.
//!
//! ```text
//!            Local port      Work port       Status port          UDP
//!                │               │                │                │
//!          LocalHandler     WorkHandler     StatusHandler      Discovery
//!            │   │  └─────────────┴───Gates───────┘ ▲  │           ▲ │
//!   Command  │   └────Show───▶ PeerRegistry ──Dial──┘  │           │ │ Notice
//!            ▼                    │   ▲ ▲              │           │ │
//!        TrustStore ───Decision───┼───┘ └──LinkReport──┘           │ │
//!    (arbiter of its own)         └──────────────Tell──────────────┘ │
//!            └──TrustOrder──▶ StatusHandler     PeerRegistry ◀───────┘
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what a daemon is started with |
//! | `start` | [`Daemon`]: from a home directory to open ports, and back |
//! | `load` | how busy the system is |
//! | `vital` | how the death of an actor is noticed |

mod load;
mod settings;
mod start;
#[cfg(test)]
mod tests;
mod vital;

pub use settings::{Route, Settings, UdpSettings};
pub use start::{Addresses, Daemon, StartError};
pub use vital::{Ended, Vital};
