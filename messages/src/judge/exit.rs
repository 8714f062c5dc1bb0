//! Exit codes and signals, which every judge looks at.

use crate::outcome::Exit;

/// What is wrong with this exit, unless it is code 0.
pub(super) fn exit_failure(exit: Exit) -> Option<String> {
    (!exit.success()).then(|| format!("ended with {exit}"))
}
