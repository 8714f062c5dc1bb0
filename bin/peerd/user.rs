//! Who may run a daemon.

use crate::peerd::error::ServeError;

/// Refuses to run as root unless that was asked for.
///
/// # Errors
/// [`ServeError::Root`].
pub fn check(allow_root: bool) -> Result<(), ServeError> {
    if rustix::process::geteuid().is_root() && !allow_root { Err(ServeError::Root) } else { Ok(()) }
}
