//! A whole daemon: its ports, its actors, and their end.
//!
//! ```text
//!            Local port      Work port       Status port          UDP
//!                │               │                │                │
//!          LocalHandler     WorkHandler     StatusHandler      Discovery
//!            │   │  └─────────────┴───Gates───────┘ ▲  │           ▲ │
//!   Command  │   └──GetPeers─▶ PeerRegistry ──Dial──┘  │           │ │ Notice
//!            ▼                    │   ▲ ▲              │           │ │
//!        TrustStore ───Decision───┼───┘ └──LinkReport──┘           │ │
//!    (arbiter of its own)         └──────────LinkFeedback──────────┘ │
//!            └──TrustOrder──▶ StatusHandler     PeerRegistry ◀───────┘
//! ```
//!
//! | module or file | holds |
//! |---|---|
//! | [`registry`] | who the peers are, from all that is known of them |
//! | [`status`] | the Status port: links between daemons |
//! | [`local`] | the Local port: this host's own runners and commands |
//! | [`work`] | the Work port: runners of peers |
//! | `settings` | what a daemon is started with |
//! | `start` | [`Daemon`]: from a home directory to open ports, and back |
//! | `load` | how busy the system is |
//! | `event` | what ends a daemon |
//!
//! Threads: the main arbiter, and one each for trust, input stores, discovery's sockets and durations.
//!
//! Invariants: a daemon of which an actor died ends; nobody gets work who is not trusted now.

mod event;
mod load;
pub mod local;
pub mod registry;
mod settings;
mod start;
pub mod status;
#[cfg(test)]
mod tests;
pub mod work;

pub use event::DaemonEvent;
pub use settings::{Route, Settings, UdpSettings};
pub use start::{Addresses, Daemon, StartError};
