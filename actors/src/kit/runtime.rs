//! Whether there still is a runtime. An actor whose system ends is handed what waits in its mailbox while it is dropped:
//! there are neither timers nor tasks then, and asking for them would panic.

/// Whether timers and tasks can be had here.
pub fn is_there() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}
