//! Whom this machine trusts, through whom, and what changes when somebody says something else.
//!
//! Each key publishes one signed statement with its direct approvals
//! ([`flotilla_messages::statement`]). Trust is reachability in the graph of these statements from one's own
//! approvals, up to a depth; it is computed from the statements that are valid now and never accumulated, so that
//! a withdrawal takes back all that hung on it. A key that was revoked here is barred however it is reached.
//!
//! | module or file | holds |
//! |---|---|
//! | [`identity`] | this machine's key and what it keeps on disk |
//! | `trusted_keys` | [`TrustedKeys`]: the set of keys that links ask |
//! | `core` | the decisions: a state machine without clock, file, socket or actor |
//! | `closure` | reachability, with chains |
//! | `obstacle` | why a key is not trusted |
//! | `refusal` | why something was not accepted |
//! | `standing` | what is shown of each peer: trust in both directions, and why not |
//! | `ledger` | [`Ledger`]: the core together with what it keeps on disk |
//! | `store` | [`TrustStore`]: its actor, for a daemon |
//!
//! Threads: a daemon's [`TrustStore`] has an arbiter of its own, since it waits for the disk.
//!
//! Invariants: what was decided is on disk before anybody is told; a statement counts only with a valid signature.

mod closure;
mod core;
pub mod identity;
mod ledger;
mod obstacle;
mod refusal;
#[cfg(test)]
mod simulation;
mod standing;
mod store;
mod trusted_keys;

pub use core::{Core, Effect, Input, MOST_STRANGERS, MOST_TRUSTED, Policy, RENEWAL, State, TrustRecord};
pub use ledger::{Handled, Ledger};
pub use obstacle::Obstacle;
pub use refusal::Refusal;
pub use standing::Standing;
pub use store::{
    Command, CommandError, CommandOutcome, Decision, GetStandings, GetStatements, Standings, StopTrustStore,
    TrustInput, TrustOrder, TrustStore, follows,
};
pub use trusted_keys::TrustedKeys;
