//! How long a client may be silent.

use std::time::Duration;

/// How long a client may be silent while others wait for it, or it for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From its turn to its packet: it may have to look through its inputs first.
    pub packet: Duration,
    /// From one pack to the next, while blobs are wanted.
    pub pack: Duration,
    /// Without any lease, while another client waits.
    pub idle: Duration,
}

impl Default for Patience {
    /// One minute, and half a minute for an idle one.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self { packet: minute, pack: minute, idle: minute / 2 }
    }
}
