//! Checks which user runs the daemon.

use crate::peerd::error::ServeError;

/// Refuses to run as root, unless `--allow-root` was given.
///
/// # Errors
/// [`ServeError::Root`].
pub fn check(allow_root: bool) -> Result<(), ServeError> {
    if rustix::process::geteuid().is_root() && !allow_root { Err(ServeError::Root) } else { Ok(()) }
}
