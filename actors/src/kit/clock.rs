//! Clocks, one for each meaning.

use std::time::{Instant, SystemTime};

/// Seconds since 1970: statements and histories are about dates, whatever the machine's clock was set to meanwhile. 0 for
/// a clock before 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Nanoseconds since 1970: the clock that dates files.
pub(crate) fn unix_nanos() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().try_into().unwrap_or(i64::MAX)
}

/// The clock of the reactor's timers, which tests can pause.
pub(crate) fn reactor_now() -> Instant {
    tokio::time::Instant::now().into_std()
}
