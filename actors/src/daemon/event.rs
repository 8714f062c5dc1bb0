//! What ends a daemon.

use crate::kit::ActorDied;

/// Why a daemon has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonEvent {
    /// Somebody asked for it over the Local port.
    Asked,
    /// The actor of this name is gone: what is left of the daemon is of no use.
    Died(&'static str),
}

impl From<ActorDied> for DaemonEvent {
    fn from(ActorDied(name): ActorDied) -> Self {
        Self::Died(name)
    }
}
