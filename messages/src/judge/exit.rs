//! Exit codes and signals, as checked by many judges.

use crate::outcome::Exit;

/// A description of this exit, unless it is code 0.
pub(super) fn exit_failure(exit: Exit) -> Option<String> {
    (!exit.success()).then(|| format!("ended with {exit}"))
}
