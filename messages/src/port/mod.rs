//! What is said on the TCP ports after Hello, one file per port.
//!
//! | file | port | between |
//! |---|---|---|
//! | `local` | Local | a runner or the `peerd` command, and this host's own daemon |
//! | `status` | Status | daemons: statements of trust, and how busy they are |
//! | `work` | Work | a runner, and the daemon of a peer |
//!
//! Every list is paged or has a limit that its reader checks, since a message may come from a hostile program.

pub mod local;
pub mod status;
pub mod work;
