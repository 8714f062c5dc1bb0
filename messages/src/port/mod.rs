//! The messages of the TCP ports after Hello, one file per port.
//!
//! | file | port | between |
//! |---|---|---|
//! | `local` | Local | a runner or the `peerd` command, and the daemon of the same host |
//! | `status` | Status | daemons: trust statements and load |
//! | `work` | Work | a runner, and the daemon of a peer |
//!
//! Every list is paged or has a limit that its reader checks, because a message may come from a hostile program.

pub mod local;
pub mod status;
pub mod work;
