//! Who the peers are, from all that is known of them.
//!
//! | file | holds |
//! |---|---|
//! | `table` | what discovery, links and runners told of each peer: bounded, without actor |
//! | `view` | what people are shown of a peer, and why it cannot be used |
//! | `actor` | [`PeerRegistry`]: brings trust and discovery together, so that peers are dialled |

mod actor;
#[cfg(test)]
mod actor_tests;
mod table;
mod view;

pub use actor::{GetPeers, PeerRegistry, PeerSnapshot, Performance, SetDiscovery, Unresponsive};
pub use table::{PeerRecord, RegistryTable};
pub use view::{Clock, view};
